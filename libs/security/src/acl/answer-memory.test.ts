import { ANONYMOUS } from '../principal'
import { AnswerMemory } from './answer-memory'

const READ_TOPIC = 50
const WRITE_TOPIC = 66

function aRequester(name: string, host = '10.0.0.1') {
  return { principal: { type: 'User', name }, host }
}

describe('AnswerMemory', () => {
  it('tells apart who asked what about which name', () => {
    const memory = new AnswerMemory<string>(100)
    memory.set(aRequester('alice'), READ_TOPIC, 'orders', 'yes')
    expect(memory.get(aRequester('alice'), READ_TOPIC, 'orders')).toBe('yes')
    expect(memory.get(aRequester('alice'), WRITE_TOPIC, 'orders')).toBeUndefined()
    expect(memory.get(aRequester('alice'), READ_TOPIC, 'order')).toBeUndefined()
    expect(memory.get(aRequester('bob'), READ_TOPIC, 'orders')).toBeUndefined()
    expect(memory.get(aRequester('alice', '10.0.0.2'), READ_TOPIC, 'orders')).toBeUndefined()
    expect(memory.get(aRequester('alice@10.0.0.1'), READ_TOPIC, 'orders')).toBeUndefined()
  })

  it('follows a connection through its login', () => {
    const memory = new AnswerMemory<string>(100)
    const session = { principal: ANONYMOUS, host: '10.0.0.1' }
    memory.set(session, READ_TOPIC, 'orders', 'no')
    session.principal = { type: 'User', name: 'alice' }
    expect(memory.get(session, READ_TOPIC, 'orders')).toBeUndefined()
    memory.set(session, READ_TOPIC, 'orders', 'yes')
    expect(memory.get(session, READ_TOPIC, 'orders')).toBe('yes')
    expect(memory.get({ ...session, principal: ANONYMOUS }, READ_TOPIC, 'orders')).toBe('no')
  })

  it('keeps nothing of names that are longer than any topic can have', () => {
    const memory = new AnswerMemory<string>(100)
    memory.set(aRequester('alice'), READ_TOPIC, 'n'.repeat(249), 'yes')
    memory.set(aRequester('alice'), READ_TOPIC, 'n'.repeat(250), 'yes')
    expect(memory.get(aRequester('alice'), READ_TOPIC, 'n'.repeat(249))).toBe('yes')
    expect(memory.get(aRequester('alice'), READ_TOPIC, 'n'.repeat(250))).toBeUndefined()
  })

  it('forgets everything when told to, and when there is too much', () => {
    const memory = new AnswerMemory<number>(3)
    const alice = aRequester('alice')
    for (let count = 1; count <= 4; count++) memory.set(alice, READ_TOPIC, `t${count}`, count)
    expect(memory.get(alice, READ_TOPIC, 't3')).toBeUndefined()
    expect(memory.get(alice, READ_TOPIC, 't4')).toBe(4)
    memory.clear()
    expect(memory.get(alice, READ_TOPIC, 't4')).toBeUndefined()
  })
})
