import { ConfigState } from './config-state'

const properties = (extra: Record<string, string> = {}) => ({ properties: { name: 'c', ...extra } })

describe('ConfigState', () => {
  it('applies task configurations only with their commit record', () => {
    const state = new ConfigState()
    state.apply('connector-c', properties())
    state.apply('task-c-0', properties({ id: '0' }))
    expect(state.tasks('c')).toEqual([])
    expect(state.apply('commit-c', { tasks: 1 })).toEqual({ kind: 'tasks-updated', name: 'c' })
    expect(state.tasks('c')).toEqual([{ name: 'c', id: '0' }])
    expect(state.applied('c')).toEqual({ name: 'c' })
  })

  it('marks a connector inconsistent when compaction left a part of its tasks (CONNECT-3)', () => {
    const state = new ConfigState()
    state.apply('connector-c', properties())
    state.apply('task-c-1', properties())
    state.apply('commit-c', { tasks: 2 })
    expect(state.isInconsistent('c')).toBe(true)
    expect(state.tasks('c')).toEqual([])
    for (const task of [0, 1]) state.apply(`task-c-${task}`, properties())
    state.apply('commit-c', { tasks: 2 })
    expect(state.isInconsistent('c')).toBe(false)
    expect(state.tasks('c')).toHaveLength(2)
  })

  it('keeps what tasks run with when only the connector record is new', () => {
    const state = new ConfigState()
    state.apply('connector-c', properties({ v: '1' }))
    state.apply('task-c-0', properties())
    state.apply('commit-c', { tasks: 1 })
    state.apply('connector-c', properties({ v: '2' }))
    expect(state.applied('c')).toEqual({ name: 'c', v: '1' })
    expect(state.connector('c')).toEqual({ name: 'c', v: '2' })
  })

  it('ignores task configurations of a connector that was deleted', () => {
    const state = new ConfigState()
    state.apply('task-c-0', properties())
    expect(state.apply('commit-c', { tasks: 1 })).toBeNull()
    expect(state.tasks('c')).toEqual([])
  })

  it('removes everything of a connector with its tombstone', () => {
    const state = new ConfigState()
    state.apply('connector-c', properties())
    state.apply('task-c-0', properties())
    state.apply('commit-c', { tasks: 1 })
    expect(state.apply('connector-c', null)).toEqual({ kind: 'connector-removed', name: 'c' })
    expect(state.connectorNames()).toEqual([])
    expect(state.tasks('c')).toEqual([])
  })

  it('reads state.v2 before state, and state alone from old workers', () => {
    const state = new ConfigState()
    state.apply('connector-c', properties())
    state.apply('target-state-c', { state: 'PAUSED', 'state.v2': 'STOPPED' })
    expect(state.targetState('c')).toBe('STOPPED')
    state.apply('target-state-c', { state: 'PAUSED' })
    expect(state.targetState('c')).toBe('PAUSED')
    state.apply('target-state-c', null)
    expect(state.targetState('c')).toBe('STARTED')
  })

  it('finds the task number behind the last dash of a name with dashes', () => {
    const state = new ConfigState()
    state.apply('connector-a-1', properties())
    state.apply('task-a-1-0', properties())
    state.apply('commit-a-1', { tasks: 1 })
    expect(state.tasks('a-1')).toHaveLength(1)
  })

  it.each([
    ['connector-c', 'text'],
    ['connector-c', { properties: [] }],
    ['task-c-x', properties()],
    ['commit-c', { tasks: 'many' }],
    ['target-state-c', { state: 'ASLEEP' }],
    ['restart-connector-c', null],
    ['what-is-this', {}],
  ])('leaves out a record that makes no sense: %s', (key, value) => {
    const state = new ConfigState()
    expect(state.apply(key, value)).toBeNull()
    expect(state.connectorNames()).toEqual([])
  })
})
