import { expect } from "chai";
import { SealwrightError } from "../../src/base/sealwright-error.ts";

/** The SealwrightError that `work` throws or rejects with; fails the test when it succeeds or throws anything else. */
export async function failureOf(work: () => unknown): Promise<SealwrightError> {
  let thrown: unknown = "nothing";
  try {
    await work();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).to.be.instanceOf(SealwrightError);
  return thrown as SealwrightError;
}

/** Its code. */
export async function failureCode(work: () => unknown): Promise<string> {
  return (await failureOf(work)).code;
}
