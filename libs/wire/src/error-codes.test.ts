import { ErrorCode, errorName, errorText, isRetriable, protocolError } from './error-codes'

describe('the protocol error table', () => {
  it('has every code from -1 to 133 once, each with a sentence', () => {
    const codes = Object.values(ErrorCode).sort((a, b) => a - b)
    expect(codes).toEqual(Array.from({ length: 135 }, (_, index) => index - 1))
    for (const code of codes) expect(errorText(code)).toMatch(/^[A-Za-z].+\.$/)
  })

  it('knows names and whether a retry helps', () => {
    expect(errorName(ErrorCode.NOT_COORDINATOR)).toBe('NOT_COORDINATOR')
    expect(isRetriable(ErrorCode.NOT_LEADER_OR_FOLLOWER)).toBe(true)
    expect(isRetriable(ErrorCode.TOPIC_ALREADY_EXISTS)).toBe(false)
  })

  it('takes a code of a later Kafka for UNKNOWN_SERVER_ERROR', () => {
    expect(errorName(999)).toBe('UNKNOWN_SERVER_ERROR')
    expect(isRetriable(999)).toBe(false)
  })

  it('makes errors that carry their code', () => {
    const error = protocolError(ErrorCode.NOT_CONTROLLER)
    expect(error).toMatchObject({ errorCode: 41, code: 'NOT_CONTROLLER', retriable: true })
    expect(error.message).toBe(errorText(41))
  })
})
