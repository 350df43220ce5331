/** What an answer file and a command line may name of one computer. */
export const answerVariables = [
  "name",
  "hostName",
  "serial",
  "mac",
  "uuid",
  "address",
  "domain",
  "server",
  "serverUrl",
  "keyFingerprint",
  "agentInstall",
] as const;
export type AnswerVariable = (typeof answerVariables)[number];

/** Of one computer; `null` where it is not known. */
export type AnswerValues = Readonly<Record<AnswerVariable, string | null>>;

/** Something in braces that is no variable of ours, or a value that cannot be had. The message is for people. */
export class AnswerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "AnswerError";
  }
}

/** `{{name}}`. Other languages of templates have spaces or signs there, and stay as they are. */
const variablePattern = /\{\{([A-Za-z]+)\}\}/g;

function isVariable(word: string): word is AnswerVariable {
  return (answerVariables as readonly string[]).includes(word);
}

/** The variables of a text, each once. @throws AnswerError naming the one that there is not */
export function listVariables(template: string): readonly AnswerVariable[] {
  const found = new Set<AnswerVariable>();
  for (const [text, word = ""] of template.matchAll(variablePattern)) {
    if (!isVariable(word)) {
      throw new AnswerError(`${text} is no variable; there are ${answerVariables.join(", ")}`);
    }
    found.add(word);
  }
  return [...found];
}

/** What a shell or an answer file would take for more than text. Only our own line may hold it. */
const unsafePattern = /[\p{Cc}"'`$\\]/u;

/**
 * The text as one computer gets it.
 *
 * @throws AnswerError for a value that is not known, or that holds more than plain text: a computer tells its own serial
 *   number, and must not write its own answers by it
 */
export function renderAnswers(template: string, values: AnswerValues): string {
  for (const variable of listVariables(template)) {
    const value = values[variable];
    if (value === null || value === "") {
      throw new AnswerError(`{{${variable}}} is not known of this computer`);
    }
    if (variable !== "agentInstall" && unsafePattern.test(value)) {
      throw new AnswerError(`{{${variable}}} of this computer holds characters that no answer file may get`);
    }
  }
  return template.replace(variablePattern, (text, word: string) =>
    isVariable(word) ? (values[word] ?? text) : text,
  );
}

/** The line that an answer file's last command runs as root, and that holds no single quote. */
export function agentInstallLine(url: string, scriptSha256: string): string {
  return [
    `f=$(mktemp) && curl -fsSk ${url}/agent/install.sh -o "$f"`,
    `echo "${scriptSha256}  $f" | sha256sum -c --quiet`,
    `sh "$f" ${url}`,
  ].join(" && ");
}
