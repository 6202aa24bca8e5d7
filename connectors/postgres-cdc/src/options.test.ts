import { parseConfig } from '@millrace/connect-api'
import { plugins } from './index'
import { checkOptions, options } from './options'

it('names every missing and every wrong option at once', () => {
  const { problems } = parseConfig(options, {
    'topic.prefix': 'no spaces',
    'database.port': '70000',
    'slot.name': 'Upper',
    'table.include.list': '(',
    'snapshot.mode': 'sometimes',
    'skipped.operations': 'x',
    'message.key.columns': 'nonsense',
  })
  expect(problems.map(({ key }) => key).sort()).toEqual([
    'database.dbname',
    'database.hostname',
    'database.port',
    'database.user',
    'message.key.columns',
    'skipped.operations',
    'slot.name',
    'snapshot.mode',
    'table.include.list',
    'topic.prefix',
  ])
})

it('refuses include and exclude lists together, and a queue no larger than a batch', () => {
  const { config } = parseConfig(options, {
    'table.include.list': 'a.b',
    'table.exclude.list': 'a.c',
    'max.batch.size': '9000',
  })
  expect(checkOptions(config).map(({ key }) => key)).toEqual([
    'table.exclude.list',
    'max.queue.size',
  ])
})

it('answers to the class name of Debezium', () => {
  expect(plugins.flatMap(({ classNames }) => classNames)).toEqual([
    'io.debezium.connector.postgresql.PostgresConnector',
  ])
})
