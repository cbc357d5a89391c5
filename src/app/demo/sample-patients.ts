/** A document as the demo's app knows it. */
export interface Patient {
  readonly _id?: string;
  readonly _rev?: string;
  readonly ward: string;
  readonly fullName: string;
  readonly ssn: string;
  readonly weightKg: number;
  readonly allergies: readonly string[];
  readonly contacts: readonly { readonly relation: string; readonly phone: string }[];
  readonly notes: string;
}

export const ada: Patient = {
  ward: "west-3",
  fullName: "Ada Quillfeather",
  ssn: "219-09-9999",
  weightKg: 61.25,
  allergies: ["penicillin-xk", "latex-xk"],
  contacts: [
    { relation: "sister", phone: "+49 30 5550 0142" },
    { relation: "gp", phone: "+49 30 5550 0199" },
  ],
  notes: "Prefers mornings. Größe 1,64 m, “no” to statins 🫀",
};

export const boris: Patient = {
  ward: "east-1",
  fullName: "Boris Hollowaythorn",
  ssn: "457-55-5462",
  weightKg: 88,
  allergies: [],
  contacts: [{ relation: "wife", phone: "+49 89 5550 0173" }],
  notes: "Transferred from Lindenhofklinik on Tuesday.",
};

export const chiara: Patient = {
  ward: "west-3",
  fullName: "Chiara Vellutini-Brandt",
  ssn: "078-05-1120",
  weightKg: 70.5,
  allergies: ["hazelnut-xk"],
  contacts: [],
  notes: "Second opinion requested by Dr. Okonkwo-Sands.",
};

export const dmitri: Patient = {
  ward: "east-1",
  fullName: "Dmitri Aberforthsson",
  ssn: "987-65-4320",
  weightKg: 93.75,
  allergies: ["iodine-xk"],
  contacts: [{ relation: "brother", phone: "+49 40 5550 0111" }],
  notes: "Pacemaker model Kardiotakt-9 fitted in 2019.",
};

/** Goes to the store past Sealwright, so that a search of the disk has something to find. Otherwise like `dmitri`. */
export const control: Patient = {
  ...dmitri,
  fullName: "Control Aberforthsson",
  ssn: "900-00-0001",
  allergies: ["control-xk"],
  contacts: [{ relation: "brother", phone: "+49 40 5550 9999" }],
  notes: "Written past Sealwright: to be found on disk.",
};

/** Every clear text of `patient` that must be found nowhere but in the app. Numbers are too short to search for. */
export function clearTexts(patient: Patient): string[] {
  const phones = patient.contacts.map(({ phone }) => phone);
  return [patient.fullName, patient.ssn, patient.notes, ...patient.allergies, ...phones];
}
