import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './consumer-protocol'

/** Annotated hex: what stands behind `#` is left out. */
const bytes = (text: string) => Buffer.from(text.replace(/#.*$/gm, '').replace(/\s/g, ''), 'hex')

const SUBSCRIPTION_V3 = bytes(`
  0003            # version
  00000002        # topics
  0002 7430       # t0
  0002 7431       # t1
  ffffffff        # no user data
  00000000        # no owned partitions
  ffffffff        # no generation
  ffff            # no rack
`)

const ASSIGNMENT_V3 = bytes(`
  0003            # version
  00000002        # topics
  0002 7430       # t0
  00000002 00000000 00000001
  0002 7431       # t1
  00000001 00000002
  ffffffff        # no user data
`)

describe('the bytes of the consumer protocol', () => {
  it('of a subscription are those of Kafka', () => {
    expect(encodeSubscription(['t0', 't1']).toString('hex')).toBe(SUBSCRIPTION_V3.toString('hex'))
  })

  it.each([
    ['0', '0000 00000001 0002 7430 00000003 010203'],
    ['1', '0001 00000001 0002 7430 ffffffff 00000001 0002 7430 00000001 00000005'],
    ['2', '0002 00000001 0002 7430 ffffffff 00000000 00000007'],
    ['3', '0003 00000001 0002 7430 ffffffff 00000000 00000007 0005 7261636b31'],
  ])('of a subscription are read in version %s', (_, hex) => {
    expect(decodeSubscription(bytes(hex)).topics).toEqual(['t0'])
  })

  it('of an assignment are those of Kafka', () => {
    const partitions = [
      { topic: 't0', partition: 0 },
      { topic: 't0', partition: 1 },
      { topic: 't1', partition: 2 },
    ]
    expect(encodeAssignment(partitions).toString('hex')).toBe(ASSIGNMENT_V3.toString('hex'))
    expect(decodeAssignment(ASSIGNMENT_V3)).toEqual(partitions)
  })

  it('are an empty assignment if there are none', () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual([])
    expect(decodeAssignment(encodeAssignment([]))).toEqual([])
  })

  it('are refused if they are cut short', () => {
    for (let length = 1; length < SUBSCRIPTION_V3.length; length++) {
      expect(() => decodeSubscription(SUBSCRIPTION_V3.subarray(0, length))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^WIRE_/) }),
      )
    }
  })
})
