/** One name per scope: the tenant's length keeps `a|b` + `c` and `a` + `b|c` apart, and absent apart from empty. */
export function scopeName(scope: { readonly tenant?: string; readonly dataset?: string }): string {
  const { tenant, dataset } = scope;
  return `${tenant?.length ?? "-"}|${dataset?.length ?? "-"}|${tenant ?? ""}|${dataset ?? ""}`;
}
