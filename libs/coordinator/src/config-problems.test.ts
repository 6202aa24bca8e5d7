import { parseConfig } from '@millrace/config'
import { groupConfigDefinition } from './config'
import { groupConfigProblems } from './config-problems'

const problemsOf = (properties: Record<string, string>) =>
  groupConfigProblems(parseConfig(groupConfigDefinition, properties).config).map(
    ({ key, given, expected }) => `${key}=${given}: ${expected}`,
  )

it('the defaults of groups agree with each other', () => {
  expect(problemsOf({})).toEqual([])
})

it('every pair of keys that contradict each other is told', () => {
  expect(
    problemsOf({
      'group.min.session.timeout.ms': '5000',
      'group.max.session.timeout.ms': '4000',
      'group.consumer.session.timeout.ms': '1000',
      'group.consumer.min.session.timeout.ms': '1000',
      'group.consumer.assignors': 'uniform,mine',
    }),
  ).toEqual([
    'group.min.session.timeout.ms=5000: at most group.max.session.timeout.ms',
    'group.consumer.heartbeat.interval.ms=5000: less than group.consumer.session.timeout.ms',
    'group.consumer.assignors=uniform,mine: one or more of uniform, range',
  ])
})
