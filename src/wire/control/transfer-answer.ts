/**
 * In place of an answer's size: what was asked for is still on its way to the server, and its size follows when it has come. Said only
 * to a reader whose request carries `toldOfWaiting`. An answer is never so large.
 */
export const stillComing = 0xffff_ffff;
