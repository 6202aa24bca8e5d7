/** LSNs are numbers here: a server would have to write 8 PiB of WAL before one passes 2^53. */

/** `16/B374D848`. @throws RangeError if the text is none, or does not fit */
export function parseLsn(text: string): number {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (match === null) throw new RangeError(`not an LSN: ${text}`)
  return checkLsn(Number.parseInt(match[1], 16), Number.parseInt(match[2], 16))
}

export function formatLsn(lsn: number): string {
  const high = Math.floor(lsn / 2 ** 32)
  return `${high.toString(16).toUpperCase()}/${(lsn % 2 ** 32).toString(16).toUpperCase()}`
}

/** @throws RangeError beyond 2^53 */
export function readLsn(buffer: Buffer, at: number): number {
  return checkLsn(buffer.readUInt32BE(at), buffer.readUInt32BE(at + 4))
}

export function writeLsn(buffer: Buffer, lsn: number, at: number): void {
  buffer.writeUInt32BE(Math.floor(lsn / 2 ** 32), at)
  buffer.writeUInt32BE(lsn % 2 ** 32, at + 4)
}

function checkLsn(high: number, low: number): number {
  if (high >= 2 ** 21)
    throw new RangeError(`LSN ${high.toString(16)}/${low.toString(16)} is too large`)
  return high * 2 ** 32 + low
}
