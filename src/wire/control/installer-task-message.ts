import type { JsonFields } from "./json-fields.ts";
import { type ContentAccess, decodeContent } from "./os-task-message.ts";

/** A distribution's installer, brought into memory. Nothing of the computer's disk is touched by this. */
export type InstallerTaskMessage = {
  readonly kind: "deploy-installer";
  /** Kernel and initrd, one after the other. */
  readonly content: ContentAccess;
  readonly kernelSizeBytes: number;
  readonly commandLine: string;
  /** Of this computer alone; lies as a file at the root of the installer's initrd. */
  readonly answers: { readonly fileName: string; readonly text: string } | null;
};

/** Variables filled in, an answer file may be so long. */
export const answersLengthMax = 256 << 10;
/** As the kernel for x86 takes it. */
export const commandLineLengthMax = 2047;

/** @throws WireError `bad-value` */
export function decodeInstallerTask(fields: JsonFields): InstallerTaskMessage {
  const hasAnswers = fields.raw("answers") !== null && fields.raw("answers") !== undefined;
  const answers = hasAnswers ? fields.fields("answers") : null;
  return {
    kind: "deploy-installer",
    content: decodeContent(fields),
    kernelSizeBytes: fields.integer("kernelSizeBytes", 1, Number.MAX_SAFE_INTEGER),
    commandLine: fields.text("commandLine", commandLineLengthMax),
    answers:
      answers === null
        ? null
        : { fileName: answers.text("fileName", 64), text: answers.content("text", answersLengthMax) },
  };
}
