import {
  decodeAssignment,
  decodeMetadata,
  encodeAssignment,
  encodeMetadata,
  NO_ALLOCATION,
  type WorkerAssignment,
} from './group-protocol'

const assignment: WorkerAssignment = {
  error: 0,
  leaderId: 'm1',
  leaderUrl: 'http://h:1/',
  configOffset: 7,
  assigned: new Map([['c', [-1, 0]]]),
  revoked: NO_ALLOCATION,
  delayMs: 0,
}

describe('group protocol', () => {
  it('writes the metadata of the default protocol as Connect does', () => {
    const bytes = encodeMetadata('default', { url: 'http://h:1/', configOffset: 7, current: null })
    const hex = [
      '0000', // version
      '000b', // url
      Buffer.from('http://h:1/').toString('hex'),
      '0000000000000007', // config offset
    ].join('')
    expect(bytes.toString('hex')).toBe(hex)
  })

  it('writes version 2 and a null allocation in the metadata of a new sessioned member', () => {
    const bytes = encodeMetadata('sessioned', { url: '', configOffset: 0, current: null })
    expect(bytes.toString('hex')).toBe('0002' + '0000' + '0000000000000000' + 'ffffffff')
  })

  it('writes a compatible assignment as Connect does', () => {
    const hex = [
      '0001', // version
      '0000', // error
      '00026d31', // leader
      '000b' + Buffer.from('http://h:1/').toString('hex'),
      '0000000000000007',
      '00000001' + '000163' + '00000002' + 'ffffffff' + '00000000', // c: the connector and task 0
      '00000000', // revoked
      '00000000', // delay
    ].join('')
    expect(encodeAssignment('compatible', assignment).toString('hex')).toBe(hex)
  })

  it.each(['default', 'compatible', 'sessioned'] as const)(
    'reads back what it writes: %s',
    (protocol) => {
      expect(decodeAssignment(encodeAssignment(protocol, assignment))).toEqual(assignment)
      const metadata = {
        url: 'http://h:1/',
        configOffset: 9,
        current: protocol === 'default' ? null : assignment,
      }
      expect(decodeMetadata(encodeMetadata(protocol, metadata))).toEqual(metadata)
    },
  )

  it('takes null arrays of a Java leader for empty ones', () => {
    const bytes = encodeAssignment('compatible', { ...assignment, assigned: NO_ALLOCATION })
    const withNulls = Buffer.from(bytes)
    withNulls.writeInt32BE(-1, bytes.length - 12)
    withNulls.writeInt32BE(-1, bytes.length - 8)
    expect(decodeAssignment(withNulls).assigned.size).toBe(0)
  })

  it('refuses data that is cut short at any byte', () => {
    const bytes = encodeAssignment('default', assignment)
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeAssignment(bytes.subarray(0, length))).toThrow(/cannot be read/)
    }
  })
})
