/** How many cases each letter of the abuse list has. Ids are permanent: a case that goes leaves its number behind. */
const lastOfLetter = { A: 14, B: 18, C: 16, D: 7, E: 10, I: 7, J: 10, M: 8, Q: 5 } as const;

export const abuseIds: readonly string[] = Object.entries(lastOfLetter).flatMap(([letter, last]) =>
  Array.from({ length: last }, (_, index) => `${letter}-${String(index + 1).padStart(2, "0")}`),
);
