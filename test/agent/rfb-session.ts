import { createConnection } from "node:net";
import { createInterface } from "node:readline";

/** Speaks RFB 3.8 (RFC 6143) with a server on this machine: `rfb-session.ts PORT`, orders on standard input. */
const socket = createConnection({ host: "127.0.0.1", port: Number(process.argv[2]) });
let waiting = Buffer.alloc(0);
let wake = (): void => undefined;
socket.on("data", (part: Buffer) => {
  waiting = Buffer.concat([waiting, part]);
  wake();
});
socket.on("close", () => {
  process.stdout.write("the session has ended\n");
  process.exit(0);
});

async function take(sizeBytes: number): Promise<Buffer> {
  while (waiting.byteLength < sizeBytes) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  const taken = waiting.subarray(0, sizeBytes);
  waiting = waiting.subarray(sizeBytes);
  return taken;
}

/** Version, no password, shared; then four bytes a pixel as the server has them, raw. */
async function greet(): Promise<{ width: number; height: number }> {
  await take(12);
  socket.write("RFB 003.008\n");
  const [typeCount = 0] = await take(1);
  await take(typeCount);
  socket.write(Buffer.from([1]));
  await take(4);
  socket.write(Buffer.from([1]));
  const init = await take(24);
  await take(init.readUInt32BE(20));
  // SetPixelFormat: 32 bits, depth 24, little-endian, true colour, 8 bits each, red highest.
  const format = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
  socket.write(Buffer.from([0, 0, 0, 0, ...format]));
  // SetEncodings: raw alone.
  socket.write(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]));
  return { width: init.readUInt16BE(0), height: init.readUInt16BE(2) };
}

/** One FramebufferUpdate; the pixel of the screen's row and column, or `null` where it was not in it. */
async function readUpdate(x: number, y: number): Promise<string | null> {
  let found: string | null = null;
  const [type = 0] = await take(1);
  if (type === 2) {
    return null;
  }
  if (type === 3) {
    await take((await take(7)).readUInt32BE(3));
    return null;
  }
  const rectangleCount = (await take(3)).readUInt16BE(1);
  for (let index = 0; index < rectangleCount; index += 1) {
    const head = await take(12);
    const [left, top, width, height] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at));
    if (left === undefined || top === undefined || width === undefined || height === undefined) {
      throw new Error("a rectangle has four sides");
    }
    const pixels = await take(width * height * 4);
    if (x >= left && x < left + width && y >= top && y < top + height) {
      const at = ((y - top) * width + (x - left)) * 4;
      found = [2, 1, 0].map((offset) => pixels.toString("hex", at + offset, at + offset + 1)).join("");
    }
  }
  return found;
}

function word(value: number): number[] {
  return [value >> 8, value & 0xff];
}

const { width, height } = await greet();
process.stdout.write(`screen ${width}x${height}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const [order, left, top] = line.split(" ");
  const [x, y] = [Number(left), Number(top)];
  if (order === "point") {
    socket.write(Buffer.from([5, 0, ...word(x), ...word(y)]));
    continue;
  }
  // FramebufferUpdateRequest, not incremental.
  socket.write(Buffer.from([3, 0, 0, 0, 0, 0, ...word(width), ...word(height)]));
  for (let pixel: string | null = null; pixel === null;) {
    pixel = await readUpdate(x, y);
    if (pixel !== null) {
      process.stdout.write(`pixel ${pixel}\n`);
    }
  }
}
