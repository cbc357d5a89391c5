import { expect } from "chai";
import { queryNames } from "../../src/fieldmap/query-names.ts";

const isMapped = queryNames(["ssn", "phone", "full name", "größe"]);

describe("mapped names in a query", () => {
  it("B-10 are found as parameters, in whatever way frameworks nest and spell them", () => {
    for (const query of [
      "ssn=078",
      "a=b&ssn=078",
      "a=b;ssn=078",
      "ssn",
      "SSN=078",
      "%73sn=078",
      "%2573sn=078",
      "filter[ssn]=078",
      "filter%5Bssn%5D=078",
      "patient.ssn=078",
      "contacts/phone=1",
      "ssn__eq=078",
      "ssn[]=078",
      "ssn:exact=078",
      "full+name=x",
      "full%20name=x",
      "gr%C3%B6%C3%9Fe=1",
      " ssn=1",
      "-ssn=1",
      "ssn*=1",
      "ssn|eq=1",
      "%22ssn%22=1",
      "ssn_eq=1",
      "q[ssn_not_in]=1",
      "ssn_cont=1",
      "%u0073sn=1",
      '{"ssn":"a=b"}',
    ])
      expect(isMapped(`/v1/patients?${query}`), query).to.equal(true);
  });

  it("B-10 are found where a value compares them with something", () => {
    for (const value of [
      '{"ssn":"078"}',
      '{"selector":{"ssn":{"$gt":"0"}}}',
      "{'ssn':'078'}",
      '{"\\u0073sn":1}',
      "{ssn:1}",
      "ssn eq '078'",
      "name eq 'x' and ssn EQ '078'",
      "ssn==078",
      "ssn=in=(1,2)",
      "ssn>1",
      "ssn:078",
      "+ssn:078",
      "eq(ssn,078)",
      "contains(ssn, '078')",
      "where ssn LIKE '0%25'",
      "where ssn NOT IN (1)",
      "ssn between 1 and 2",
      "[ssn] = '1'",
      "`ssn`='1'",
      "(ssn) = '1'",
      "year(ssn) eq 1970",
      "tolower(ssn) eq 'x'",
      "startswith(tolower(ssn),'x')",
      "substringof('x',ssn)",
      "'1' eq ssn",
      'ssn co "7"',
      'ssn sw "7"',
      "(ssn.eq.1,ward.eq.2)",
      "-ssn:078",
      '{"a":"{\\"ssn\\":1}"}',
      "$[?(@['ssn']==1)]",
    ]) {
      expect(isMapped(`/v1/patients?q=${encodeURIComponent(value)}`), value).to.equal(true);
      expect(isMapped(`/v1/patients?q=${encodeURIComponent(encodeURIComponent(value))}`), value).to.equal(true);
    }
  });

  it("are not found in names alone, in other words, or without a query", () => {
    for (const target of [
      "/v1/ssn",
      "/v1/patients?",
      "/v1/patients?limit=10&sort=ssn",
      "/v1/patients?fields=name,ssn,phone",
      "/v1/patients?fields[]=name",
      "/v1/patients?assn=1&ssnx=2",
      "/v1/patients?q=lessness:1",
      "/v1/patients?q=the%20ssn%20of%20ada",
      "/v1/patients?sort1=ssn&order=phone.asc&include=ward:phone",
      "/v1/patients?q=the%20ssn%20was%20not%20found",
      "/v1/patients?ward=west-3&name=Ada%20Quill",
    ])
      expect(isMapped(target), target).to.equal(false);
  });

  it("count as found where nobody can tell", () => {
    for (const query of ["a=%FF", "a=%E0%A4", `q=${"x".repeat(10_000)}`, "a=%25252573sn"])
      expect(isMapped(`/v1/patients?${query}`), query.slice(0, 20)).to.equal(true);
  });

  it("are looked for in linear time", () => {
    const started = performance.now();
    for (const query of [
      `q=${"a".repeat(8000)}`,
      `q=a${"%20".repeat(2600)}`,
      `q=${"a(".repeat(4000)}`,
      `q=${"'a'".repeat(2600)}`,
      `q=${"a)".repeat(4000)}`,
      `q=${"'1,".repeat(2600)}`,
      `q=a${'"'.repeat(8000)}`,
      `q=a(${" ".repeat(8000)}`,
    ])
      isMapped(`/?${query}`);
    expect(performance.now() - started).to.be.below(500);
  });
});
