/**
 * One script of REST calls that is played against Kafka Connect and against our worker. `DIR` and `` in it stand for
 * what each side has of its own.
 */
import type { Call } from '../worker-on-kafka/rest.ts'

const SOURCE_CLASS = 'org.apache.kafka.connect.file.FileStreamSourceConnector'
const SINK_CLASS = 'org.apache.kafka.connect.file.FileStreamSinkConnector'
const STRING = 'org.apache.kafka.connect.storage.StringConverter'

export interface Step extends Call {
  /** Unique: known differences name it. */
  readonly title: string
  /** What to wait for before the next call. */
  readonly becomes?: {
    readonly name: string
    readonly connector: string
    readonly tasks: readonly string[]
  }
  /** Waits until the answer is of this status and has this text: for what follows by itself. */
  readonly until?: string
}

const source = {
  'connector.class': SOURCE_CLASS,
  file: 'DIR/in.txt',
  topic: 'lines',
  'tasks.max': '1',
  'value.converter': STRING,
}
const sink = {
  'connector.class': SINK_CLASS,
  file: 'DIR/out.txt',
  topics: 'lines',
  'value.converter': STRING,
}
const running = (name: string) => ({ name, connector: 'RUNNING', tasks: ['RUNNING'] })
const get = (title: string, path: string): Step => ({ title, method: 'GET', path })
const put = (title: string, path: string, body?: unknown): Step => ({
  title,
  method: 'PUT',
  path,
  ...(body === undefined ? {} : { body }),
})
const post = (title: string, path: string, body?: unknown): Step => ({
  ...put(title, path, body),
  method: 'POST',
})
const patch = (title: string, path: string, body?: unknown): Step => ({
  ...put(title, path, body),
  method: 'PATCH',
})
const remove = (title: string, path: string): Step => ({ title, method: 'DELETE', path })

const onEmptyCluster: readonly Step[] = [
  get('root', '/'),
  get('health', '/health'),
  get('list of none', '/connectors'),
  get('list of none, expanded', '/connectors?expand=status&expand=info'),
  get('plugins', '/connector-plugins'),
  get('plugins of all kinds', '/connector-plugins?connectorsOnly=false'),
]

const creation: readonly Step[] = [
  {
    ...post('create source', '/connectors', { name: 'lines', config: source }),
    becomes: running('lines'),
  },
  get('source', '/connectors/lines'),
  get('source config', '/connectors/lines/config'),
  get('source status', '/connectors/lines/status'),
  get('source tasks', '/connectors/lines/tasks'),
  get('source task status', '/connectors/lines/tasks/0/status'),
  { ...put('create sink by PUT', '/connectors/copy/config', sink), becomes: running('copy') },
  get('sink', '/connectors/copy'),
  get('sink tasks', '/connectors/copy/tasks'),
  { ...get('sink offsets', '/connectors/copy/offsets'), until: '"kafka_offset":3' },
  { ...get('source offsets', '/connectors/lines/offsets'), until: '"position":14' },
  { ...get('source topics', '/connectors/lines/topics'), until: 'lines"]' },
  { ...get('sink topics', '/connectors/copy/topics'), until: 'lines"]' },
  get('list', '/connectors'),
  get('list with status', '/connectors?expand=status'),
  get('list with info', '/connectors?expand=info'),
  get('list with both', '/connectors?expand=info&expand=status'),
  get('list with unknown expansion', '/connectors?expand=nothing'),
  get('list with a trailing slash', '/connectors/'),
]

const creationErrors: readonly Step[] = [
  post('create again', '/connectors', { name: 'lines', config: source }),
  post('create without a class', '/connectors', { name: 'bad', config: { topic: 'a' } }),
  post('create with an unknown class', '/connectors', {
    name: 'bad',
    config: { 'connector.class': 'org.example.Nothing' },
  }),
  post('create without a name', '/connectors', { config: source }),
  post('create with an empty name', '/connectors', { name: ' ', config: source }),
  post('create with a name with spaces around', '/connectors', {
    name: ' bad ',
    config: { ...source, name: 'other' },
  }),
  post('create with another name in the config', '/connectors', {
    name: 'bad',
    config: { ...source, name: 'other' },
  }),
  post('create with a control character in the name', '/connectors', {
    name: 'a\nb',
    config: source,
  }),
  post('create without a config', '/connectors', { name: 'bad' }),
  post('create with an unknown field', '/connectors', { name: 'bad', config: source, more: 1 }),
  post('create with a number for the config', '/connectors', { name: 'bad', config: 7 }),
  post('create with a list for the body', '/connectors', []),
  post('create with bad JSON', '/connectors', '{"name":'),
  post('create with an empty body', '/connectors', ''),
  post('create with null for the body', '/connectors', 'null'),
  { ...post('create as text', '/connectors', 'hello'), contentType: 'text/plain' },
  post('create with an unknown state', '/connectors', {
    name: 'bad',
    config: source,
    initial_state: 'ASLEEP',
  }),
  post('create with invalid values', '/connectors', {
    name: 'bad',
    config: { ...source, 'tasks.max': 'many', 'errors.tolerance': 'some' },
  }),
  post('create with tasks.max 0', '/connectors', {
    name: 'bad',
    config: { ...source, 'tasks.max': '0' },
  }),
  post('create sink without topics', '/connectors', {
    name: 'bad',
    config: { ...sink, topics: '' },
  }),
  post('create sink with topics and regex', '/connectors', {
    name: 'bad',
    config: { ...sink, 'topics.regex': 'a.*' },
  }),
  post('create with an unknown converter', '/connectors', {
    name: 'bad',
    config: { ...source, 'value.converter': 'org.example.Nothing' },
  }),
  post('create with an unknown transform', '/connectors', {
    name: 'bad',
    config: { ...source, transforms: 'a', 'transforms.a.type': 'org.example.Nothing' },
  }),
  post('create with a transform without type', '/connectors', {
    name: 'bad',
    config: { ...source, transforms: 'a' },
  }),
  post('create source without a topic', '/connectors', {
    name: 'bad',
    config: { 'connector.class': SOURCE_CLASS, file: 'DIR/in.txt' },
  }),
  put('put with another name', '/connectors/bad/config', { ...source, name: 'other' }),
  put('put with bad JSON', '/connectors/bad/config', '{'),
  put('put with a nested value', '/connectors/bad/config', { ...source, topic: { a: 1 } }),
  put('put with an empty body', '/connectors/bad/config', ''),
  put('put with nothing in it', '/connectors/bad/config', {}),
  get('nothing was created', '/connectors/bad'),
]

const absent: readonly Step[] = [
  get('absent', '/connectors/nobody'),
  get('absent config', '/connectors/nobody/config'),
  get('absent status', '/connectors/nobody/status'),
  get('absent tasks', '/connectors/nobody/tasks'),
  get('absent offsets', '/connectors/nobody/offsets'),
  get('absent topics', '/connectors/nobody/topics'),
  put('absent topics reset', '/connectors/nobody/topics/reset'),
  put('absent pause', '/connectors/nobody/pause'),
  put('absent resume', '/connectors/nobody/resume'),
  put('absent stop', '/connectors/nobody/stop'),
  post('absent restart', '/connectors/nobody/restart'),
  post('absent restart with tasks', '/connectors/nobody/restart?includeTasks=true'),
  patch('absent patch', '/connectors/nobody/config', { a: 'b' }),
  remove('absent delete', '/connectors/nobody'),
  post('absent task restart', '/connectors/nobody/tasks/0/restart'),
  get('absent task status', '/connectors/nobody/tasks/0/status'),
  get('task that is not there', '/connectors/lines/tasks/7/status'),
  post('restart of a task that is not there', '/connectors/lines/tasks/7/restart'),
  get('task id that is no number', '/connectors/lines/tasks/a/status'),
  post('restart of a task id that is no number', '/connectors/lines/tasks/a/restart'),
  get('unknown path', '/nothing'),
  get('unknown path below a connector', '/connectors/lines/nothing'),
  remove('wrong method on the list', '/connectors'),
  post('wrong method on a connector', '/connectors/lines', {}),
  get('wrong method on pause', '/connectors/lines/pause'),
  { title: 'HEAD of the list', method: 'HEAD', path: '/connectors' },
  get('unknown plugin', '/connector-plugins/org.example.Nothing/config'),
]

const lifecycle: readonly Step[] = [
  {
    ...put('pause', '/connectors/lines/pause'),
    becomes: { name: 'lines', connector: 'PAUSED', tasks: ['PAUSED'] },
  },
  { ...put('pause again, with a content type and no body', '/connectors/lines/pause', '') },
  get('paused status', '/connectors/lines/status'),
  { ...put('resume', '/connectors/lines/resume'), becomes: running('lines') },
  { ...post('restart', '/connectors/lines/restart'), becomes: running('lines') },
  {
    ...post('restart with tasks', '/connectors/lines/restart?includeTasks=true'),
    becomes: running('lines'),
  },
  {
    ...post('restart of what has failed', '/connectors/lines/restart?onlyFailed=true'),
    becomes: running('lines'),
  },
  {
    ...post(
      'restart of tasks that have failed',
      '/connectors/lines/restart?includeTasks=true&onlyFailed=true',
    ),
    becomes: running('lines'),
  },
  {
    ...post('restart with odd flags', '/connectors/lines/restart?includeTasks=perhaps'),
    becomes: running('lines'),
  },
  { ...post('restart of a task', '/connectors/lines/tasks/0/restart'), becomes: running('lines') },
  {
    ...put('stop', '/connectors/lines/stop'),
    becomes: { name: 'lines', connector: 'STOPPED', tasks: [] },
  },
  get('stopped', '/connectors/lines'),
  get('stopped status', '/connectors/lines/status'),
  get('stopped tasks', '/connectors/lines/tasks'),
  get('stopped offsets', '/connectors/lines/offsets'),
  put('stop again', '/connectors/lines/stop'),
  { ...put('resume after stop', '/connectors/lines/resume'), becomes: running('lines') },
  put('reset of topics', '/connectors/lines/topics/reset'),
  {
    ...put('new config', '/connectors/lines/config', { ...source, 'batch.size': '10' }),
    becomes: running('lines'),
  },
  {
    ...patch('patch', '/connectors/lines/config', {
      'batch.size': null,
      'errors.tolerance': 'all',
    }),
    becomes: running('lines'),
  },
  patch('patch to invalid', '/connectors/lines/config', { 'tasks.max': '-1' }),
  patch('patch of the name', '/connectors/lines/config', { name: 'other' }),
  { ...patch('patch with nothing', '/connectors/lines/config', {}), becomes: running('lines') },
  get('patched config', '/connectors/lines/config'),
  {
    ...post('create paused', '/connectors', {
      name: 'later',
      config: { ...source, topic: 'later' },
      initial_state: 'PAUSED',
    }),
    becomes: { name: 'later', connector: 'PAUSED', tasks: [] },
  },
  {
    ...post('create stopped', '/connectors', {
      name: 'never',
      config: source,
      initial_state: 'stopped',
    }),
    becomes: { name: 'never', connector: 'STOPPED', tasks: [] },
  },
  get('created stopped', '/connectors/never/status'),
  {
    ...post('create with a slash in the name', '/connectors', {
      name: 'a/b c',
      config: { ...source, topic: 'slash' },
    }),
  },
  remove('delete with a slash in the name', '/connectors/a%2Fb%20c'),
  {
    ...post('create with a file that cannot be written', '/connectors', {
      name: 'broken',
      config: { ...sink, file: '/proc/nothing/here' },
    }),
    becomes: { name: 'broken', connector: 'RUNNING', tasks: ['FAILED'] },
  },
  get('failed status', '/connectors/broken/status'),
  get('failed task status', '/connectors/broken/tasks/0/status'),
]

const validation: readonly Step[] = [
  put('validate source', `/connector-plugins/${SOURCE_CLASS}/config/validate`, {
    ...source,
    name: 'v',
  }),
  put('validate by simple name', '/connector-plugins/FileStreamSourceConnector/config/validate', {
    ...source,
    name: 'v',
  }),
  put('validate by short name', '/connector-plugins/FileStreamSource/config/validate', {
    ...source,
    'connector.class': 'FileStreamSource',
    name: 'v',
  }),
  put('validate source with nothing', `/connector-plugins/${SOURCE_CLASS}/config/validate`, {
    'connector.class': SOURCE_CLASS,
  }),
  put('validate without a class', `/connector-plugins/${SOURCE_CLASS}/config/validate`, {
    topic: 'a',
  }),
  put('validate another class', `/connector-plugins/${SOURCE_CLASS}/config/validate`, sink),
  put('validate unknown plugin', '/connector-plugins/org.example.Nothing/config/validate', {
    'connector.class': 'org.example.Nothing',
  }),
  put('validate sink', `/connector-plugins/${SINK_CLASS}/config/validate`, { ...sink, name: 'v' }),
  put('validate sink with errors', `/connector-plugins/${SINK_CLASS}/config/validate`, {
    ...sink,
    name: 'v',
    'topics.regex': '(',
    'tasks.max': 'x',
  }),
  put('validate transform', `/connector-plugins/${SOURCE_CLASS}/config/validate`, {
    ...source,
    name: 'v',
    transforms: 'a',
    'transforms.a.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.a.regex': '.*',
  }),
  put('validate with bad JSON', `/connector-plugins/${SOURCE_CLASS}/config/validate`, '['),
  get('config of a connector', `/connector-plugins/${SOURCE_CLASS}/config`),
  get(
    'config of a transform',
    '/connector-plugins/org.apache.kafka.connect.transforms.RegexRouter/config',
  ),
  get(
    'config of a converter',
    '/connector-plugins/org.apache.kafka.connect.json.JsonConverter/config',
  ),
]

const removal: readonly Step[] = [
  remove('delete', '/connectors/lines'),
  get('deleted', '/connectors/lines'),
  // The deletion reaches the statuses by their topic: a moment later.
  { ...get('deleted status', '/connectors/lines/status'), until: '404' },
  remove('delete again', '/connectors/lines'),
]

export const script: readonly Step[] = [
  ...onEmptyCluster,
  ...creation,
  ...creationErrors,
  ...absent,
  ...lifecycle,
  ...validation,
  ...removal,
]
