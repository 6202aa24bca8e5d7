import { parseConfig } from '@millrace/config'
import { brokerSynonyms, logConfigDefinition, topicDefaultsOfBroker } from './config'

describe('topicDefaultsOfBroker', () => {
  it('takes the strongest of the broker keys and turns its unit into that of the topic key', () => {
    expect(topicDefaultsOfBroker({ 'log.retention.hours': '2' })).toEqual({
      'retention.ms': '7200000',
    })
    expect(
      topicDefaultsOfBroker({
        'log.retention.hours': '2',
        'log.retention.minutes': '3',
        'log.segment.bytes': '2097152',
        'log.ack.after.flush': 'false',
        other: 'x',
      }),
    ).toEqual({
      'retention.ms': '180000',
      'segment.bytes': '2097152',
      'ack.after.flush': 'false',
    })
  })

  it('leaves "no limit" and wrong text as they are', () => {
    const defaults = topicDefaultsOfBroker({
      'log.retention.hours': '-1',
      'log.roll.hours': 'soon',
    })
    expect(defaults).toEqual({ 'retention.ms': '-1', 'segment.ms': 'soon' })
    expect(parseConfig(logConfigDefinition, defaults).problems).toMatchObject([
      { key: 'segment.ms', given: 'soon' },
    ])
  })

  it('has a broker key for every topic key but those that are about one topic only', () => {
    const topicKeys = Object.values(logConfigDefinition).map(({ name }) => name)
    const ofTopicsOnly = topicKeys.filter((name) => /^remote\.|\.throttled\.replicas$/.test(name))
    expect(Object.keys(brokerSynonyms).sort()).toEqual(
      topicKeys.filter((name) => !ofTopicsOnly.includes(name)).sort(),
    )
  })

  it('refuses a cleanup policy that is none', () => {
    const { problems } = parseConfig(logConfigDefinition, { 'cleanup.policy': 'delete,shrink' })
    expect(problems).toMatchObject([{ key: 'cleanup.policy', expected: 'compact, delete or both' }])
  })
})
