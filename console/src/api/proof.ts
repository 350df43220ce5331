const key = "portolan.proof";

/** The half of a session that this browser keeps beside the cookie; without it the cookie opens nothing. */
export function readProof(): string | null {
  return localStorage.getItem(key);
}

export function keepProof(proof: string): void {
  localStorage.setItem(key, proof);
}

export function forgetProof(): void {
  localStorage.removeItem(key);
}
