/** How commands end: done, found a problem, called wrongly. */
export const exitCode = Object.freeze({ done: 0, problem: 1, usage: 2 });

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
