/** An exact decimal number: `unscaled / 10^scale`. The one type of Connect's Decimal values. */
export class Decimal {
  readonly unscaled: bigint
  readonly scale: number

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled
    this.scale = scale
  }

  /** Parses `-12.340`, keeping trailing zeros, or `1.5e3`. @throws TypeError if the text is no finite decimal number. */
  static parse(text: string): Decimal {
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text.trim())
    if (!match || match[2] + (match[3] ?? '') === '') throw new TypeError('not a decimal number')
    const fraction = match[3] ?? ''
    const digits = BigInt(match[2] + fraction)
    const value = new Decimal(
      match[1] === '-' ? -digits : digits,
      fraction.length - Number(match[4] ?? 0),
    )
    return value.scale < 0 ? value.withScale(0) : value
  }

  /** From Java's BigInteger form: big-endian two's complement. */
  static fromBytes(bytes: Uint8Array, scale: number): Decimal {
    let unscaled = 0n
    for (const byte of bytes) unscaled = (unscaled << 8n) | BigInt(byte)
    return new Decimal(BigInt.asIntN(bytes.length * 8, unscaled), scale)
  }

  /** Java's BigInteger form of the unscaled value: the fewest bytes of big-endian two's complement. */
  toBytes(): Buffer {
    const magnitude = this.unscaled < 0n ? ~this.unscaled : this.unscaled
    const length = magnitude === 0n ? 1 : Math.floor(magnitude.toString(2).length / 8) + 1
    const hex = BigInt.asUintN(length * 8, this.unscaled)
      .toString(16)
      .padStart(length * 2, '0')
    return Buffer.from(hex, 'hex')
  }

  /** The same number at another scale. @throws RangeError if digits other than zero would be lost. */
  withScale(scale: number): Decimal {
    if (scale >= this.scale)
      return new Decimal(this.unscaled * 10n ** BigInt(scale - this.scale), scale)
    const divisor = 10n ** BigInt(this.scale - scale)
    if (this.unscaled % divisor !== 0n)
      throw new RangeError(`a decimal of scale ${this.scale} does not fit scale ${scale}`)
    return new Decimal(this.unscaled / divisor, scale)
  }

  toString(): string {
    if (this.scale <= 0) return (this.unscaled * 10n ** BigInt(-this.scale)).toString()
    const digits = (this.unscaled < 0n ? -this.unscaled : this.unscaled)
      .toString()
      .padStart(this.scale + 1, '0')
    const point = digits.length - this.scale
    return `${this.unscaled < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`
  }
}
