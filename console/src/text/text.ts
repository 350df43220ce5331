import { english } from "./english.ts";

/** Every word the console shows. Another language is another object of this shape. */
export const text = english;
