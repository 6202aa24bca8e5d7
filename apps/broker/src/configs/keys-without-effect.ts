/**
 * Keys of a Kafka 4.3 broker that are taken, checked and described, but change nothing here: what they tune does not exist,
 * or comes with a later feature. So a server.properties works as it is. A key that another table declares is not
 * looked up here.
 */
import {
  boolean,
  className,
  double,
  int,
  list,
  long,
  oneOf,
  password,
  short,
  string,
  type ConfigKey,
  type ConfigType,
} from '@millrace/config'

interface Limits {
  readonly min?: number
  readonly max?: number
  readonly oneOf?: readonly string[]
}
/** Name, type, Kafka's default as text (null for none), what it may be. */
type Row = readonly [name: string, type: ConfigType, byDefault: string | null, limits?: Limits]

const groups: readonly { readonly why: string; readonly keys: readonly Row[] }[] = [
  {
    why: 'One event loop serves all requests; work on disks goes to the thread pool of the process.',
    keys: [
      ['background.threads', 'INT', '10', { min: 1 }],
      ['group.coordinator.background.threads', 'INT', '2', { min: 1 }],
      ['group.coordinator.threads', 'INT', '4', { min: 1 }],
      ['num.io.threads', 'INT', '8', { min: 1 }],
      ['num.network.threads', 'INT', '3', { min: 1 }],
      ['queued.max.request.bytes', 'LONG', '-1'],
      ['queued.max.requests', 'INT', '500', { min: 1 }],
      ['share.coordinator.threads', 'INT', '1', { min: 1 }],
    ],
  },
  {
    why: 'There is no purgatory: whatever waits is woken by what it waits for.',
    keys: [
      ['delete.records.purgatory.purge.interval.requests', 'INT', '1'],
      ['fetch.purgatory.purge.interval.requests', 'INT', '1000'],
      ['producer.purgatory.purge.interval.requests', 'INT', '1000'],
      ['share.fetch.purgatory.purge.interval.requests', 'INT', '1000'],
    ],
  },
  {
    why: 'The metadata is kept in a store of its own, not in a KRaft log: it elects nobody and takes no snapshots.',
    keys: [
      ['broker.heartbeat.interval.ms', 'INT', '2000'],
      ['broker.session.timeout.ms', 'INT', '9000'],
      ['controller.quorum.append.linger.ms', 'INT', '25', { min: 0 }],
      ['controller.quorum.auto.join.enable', 'BOOLEAN', 'false'],
      ['controller.quorum.bootstrap.servers', 'LIST', ''],
      ['controller.quorum.election.backoff.max.ms', 'INT', '1000', { min: 0 }],
      ['controller.quorum.election.timeout.ms', 'INT', '1000', { min: 0 }],
      ['controller.quorum.fetch.max.bytes', 'INT', '1048576', { min: 1 }],
      ['controller.quorum.fetch.snapshot.max.bytes', 'INT', '1048576', { min: 1 }],
      ['controller.quorum.fetch.timeout.ms', 'INT', '2000', { min: 0 }],
      ['controller.quorum.request.timeout.ms', 'INT', '2000', { min: 0 }],
      ['controller.quorum.retry.backoff.ms', 'INT', '20', { min: 0 }],
      ['controller.quorum.voters', 'LIST', ''],
      ['controller.socket.timeout.ms', 'INT', '30000'],
      ['early.start.listeners', 'LIST', null],
      ['initial.broker.registration.timeout.ms', 'INT', '60000'],
      ['metadata.log.max.record.bytes.between.snapshots', 'LONG', '20971520', { min: 1 }],
      ['metadata.log.max.snapshot.interval.ms', 'LONG', '3600000', { min: 0 }],
      ['metadata.log.segment.bytes', 'INT', '1073741824', { min: 8388608 }],
      ['metadata.log.segment.ms', 'LONG', '604800000'],
      ['metadata.max.idle.interval.ms', 'INT', '500', { min: 0 }],
      ['metadata.max.retention.bytes', 'LONG', '104857600'],
      ['metadata.max.retention.ms', 'LONG', '604800000'],
      ['process.roles', 'LIST', '', { oneOf: ['broker', 'controller'] }],
      ['sasl.mechanism.controller.protocol', 'STRING', 'GSSAPI'],
    ],
  },
  {
    why: 'Share groups are not served.',
    keys: [
      ['group.share.assignment.interval.ms', 'INT', '1000', { min: 0 }],
      ['group.share.assignors', 'LIST', 'simple'],
      ['group.share.delivery.count.limit', 'INT', '5', { min: 2, max: 10 }],
      ['group.share.heartbeat.interval.ms', 'INT', '5000', { min: 1 }],
      ['group.share.max.assignment.interval.ms', 'INT', '15000', { min: 0 }],
      ['group.share.max.delivery.count.limit', 'INT', '10', { min: 5, max: 25 }],
      ['group.share.max.heartbeat.interval.ms', 'INT', '15000', { min: 1 }],
      ['group.share.max.partition.max.record.locks', 'INT', '4000', { min: 2000, max: 10000 }],
      ['group.share.max.record.lock.duration.ms', 'INT', '60000', { min: 30000, max: 3600000 }],
      ['group.share.max.session.timeout.ms', 'INT', '60000', { min: 1 }],
      ['group.share.max.share.sessions', 'INT', '2000', { min: 1 }],
      ['group.share.max.size', 'INT', '200', { min: 1, max: 1000 }],
      ['group.share.min.assignment.interval.ms', 'INT', '0', { min: 0 }],
      ['group.share.min.delivery.count.limit', 'INT', '2', { min: 2, max: 5 }],
      ['group.share.min.heartbeat.interval.ms', 'INT', '5000', { min: 1 }],
      ['group.share.min.partition.max.record.locks', 'INT', '100', { min: 100, max: 2000 }],
      ['group.share.min.record.lock.duration.ms', 'INT', '15000', { min: 1000, max: 30000 }],
      ['group.share.min.session.timeout.ms', 'INT', '45000', { min: 1 }],
      ['group.share.partition.max.record.locks', 'INT', '2000', { min: 100, max: 10000 }],
      ['group.share.record.lock.duration.ms', 'INT', '30000', { min: 1000, max: 3600000 }],
      ['group.share.session.timeout.ms', 'INT', '45000', { min: 1 }],
      ['share.coordinator.append.linger.ms', 'INT', '-1', { min: -1 }],
      ['share.coordinator.cached.buffer.max.bytes', 'INT', '1048588', { min: 524288 }],
      ['share.coordinator.load.buffer.size', 'INT', '5242880', { min: 1 }],
      [
        'share.coordinator.snapshot.update.records.per.snapshot',
        'INT',
        '500',
        { min: 0, max: 500 },
      ],
      ['share.coordinator.state.topic.compression.codec', 'INT', '0'],
      ['share.coordinator.state.topic.min.isr', 'SHORT', '2', { min: 1 }],
      ['share.coordinator.state.topic.num.partitions', 'INT', '50', { min: 1 }],
      ['share.coordinator.state.topic.replication.factor', 'SHORT', '3', { min: 1 }],
      ['share.coordinator.state.topic.segment.bytes', 'INT', '104857600', { min: 1 }],
      ['share.coordinator.write.timeout.ms', 'INT', '5000', { min: 1 }],
    ],
  },
  {
    why: 'Streams groups are not served.',
    keys: [
      ['group.streams.assignment.interval.ms', 'INT', '1000', { min: 0 }],
      ['group.streams.heartbeat.interval.ms', 'INT', '5000', { min: 1 }],
      ['group.streams.initial.rebalance.delay.ms', 'INT', '3000', { min: 0 }],
      ['group.streams.max.assignment.interval.ms', 'INT', '15000', { min: 0 }],
      ['group.streams.max.heartbeat.interval.ms', 'INT', '15000', { min: 1 }],
      ['group.streams.max.session.timeout.ms', 'INT', '60000', { min: 1 }],
      ['group.streams.max.size', 'INT', '2147483647', { min: 1 }],
      ['group.streams.max.standby.replicas', 'INT', '2', { min: 0 }],
      ['group.streams.min.assignment.interval.ms', 'INT', '0', { min: 0 }],
      ['group.streams.min.heartbeat.interval.ms', 'INT', '5000', { min: 1 }],
      ['group.streams.min.session.timeout.ms', 'INT', '45000', { min: 1 }],
      ['group.streams.num.standby.replicas', 'INT', '0', { min: 0 }],
      ['group.streams.session.timeout.ms', 'INT', '45000', { min: 1 }],
    ],
  },
  {
    why: 'Tiered storage is not served.',
    keys: [
      ['follower.fetch.last.tiered.offset.enable', 'BOOLEAN', 'false'],
      ['remote.fetch.max.wait.ms', 'INT', '500', { min: 1 }],
      ['remote.list.offsets.request.timeout.ms', 'LONG', '30000', { min: 1 }],
      ['remote.log.index.file.cache.total.size.bytes', 'LONG', '1073741824', { min: 1 }],
      ['remote.log.manager.copier.thread.pool.size', 'INT', '10', { min: 1 }],
      ['remote.log.manager.copy.max.bytes.per.second', 'LONG', '9223372036854775807', { min: 1 }],
      ['remote.log.manager.copy.quota.window.num', 'INT', '11', { min: 1 }],
      ['remote.log.manager.copy.quota.window.size.seconds', 'INT', '1', { min: 1 }],
      ['remote.log.manager.expiration.thread.pool.size', 'INT', '10', { min: 1 }],
      ['remote.log.manager.fetch.max.bytes.per.second', 'LONG', '9223372036854775807', { min: 1 }],
      ['remote.log.manager.fetch.quota.window.num', 'INT', '11', { min: 1 }],
      ['remote.log.manager.fetch.quota.window.size.seconds', 'INT', '1', { min: 1 }],
      ['remote.log.manager.follower.thread.pool.size', 'INT', '2', { min: 1 }],
      ['remote.log.manager.task.interval.ms', 'LONG', '30000', { min: 1 }],
      ['remote.log.manager.thread.pool.size', 'INT', '2', { min: 1 }],
      ['remote.log.metadata.custom.metadata.max.bytes', 'INT', '128', { min: 0 }],
      [
        'remote.log.metadata.manager.class.name',
        'STRING',
        'org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager',
      ],
      ['remote.log.metadata.manager.class.path', 'STRING', null],
      ['remote.log.metadata.manager.impl.prefix', 'STRING', 'rlmm.config.'],
      ['remote.log.metadata.manager.listener.name', 'STRING', null],
      ['remote.log.reader.max.pending.tasks', 'INT', '100', { min: 1 }],
      ['remote.log.reader.threads', 'INT', '10', { min: 1 }],
      ['remote.log.storage.manager.class.name', 'STRING', null],
      ['remote.log.storage.manager.class.path', 'STRING', null],
      ['remote.log.storage.manager.impl.prefix', 'STRING', 'rsm.config.'],
      ['remote.log.storage.system.enable', 'BOOLEAN', 'false'],
    ],
  },
  {
    why: 'Other brokers come with replication.',
    keys: [
      ['auto.leader.rebalance.enable', 'BOOLEAN', 'true'],
      ['controlled.shutdown.enable', 'BOOLEAN', 'true'],
      ['inter.broker.listener.name', 'STRING', null],
      ['leader.imbalance.check.interval.seconds', 'LONG', '300', { min: 1 }],
      ['num.replica.fetchers', 'INT', '1', { min: 1 }],
      ['replica.fetch.backoff.ms', 'INT', '1000', { min: 0 }],
      ['replica.fetch.max.bytes', 'INT', '1048576', { min: 0 }],
      ['replica.fetch.min.bytes', 'INT', '1'],
      ['replica.fetch.response.max.bytes', 'INT', '10485760', { min: 0 }],
      ['replica.fetch.wait.max.ms', 'INT', '500'],
      ['replica.lag.time.max.ms', 'LONG', '30000'],
      ['replica.selector.class', 'STRING', null],
      ['replica.socket.receive.buffer.bytes', 'INT', '65536'],
      ['replica.socket.timeout.ms', 'INT', '30000'],
      ['sasl.client.callback.handler.class', 'CLASS', null],
      ['sasl.login.callback.handler.class', 'CLASS', null],
      ['sasl.login.class', 'CLASS', null],
      ['sasl.login.connect.timeout.ms', 'INT', null],
      ['sasl.login.read.timeout.ms', 'INT', null],
      ['sasl.login.refresh.buffer.seconds', 'SHORT', '300'],
      ['sasl.login.refresh.min.period.seconds', 'SHORT', '60'],
      ['sasl.login.refresh.window.factor', 'DOUBLE', '0.8'],
      ['sasl.login.refresh.window.jitter', 'DOUBLE', '0.05'],
      ['sasl.login.retry.backoff.max.ms', 'LONG', '10000'],
      ['sasl.login.retry.backoff.ms', 'LONG', '100'],
      ['sasl.mechanism.inter.broker.protocol', 'STRING', 'GSSAPI'],
      [
        'security.inter.broker.protocol',
        'STRING',
        'PLAINTEXT',
        { oneOf: ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] },
      ],
      ['socket.connection.setup.timeout.max.ms', 'LONG', '30000'],
      ['socket.connection.setup.timeout.ms', 'LONG', '10000'],
    ],
  },
  {
    why: 'The operating system sizes the buffers of sockets.',
    keys: [
      ['socket.receive.buffer.bytes', 'INT', '102400'],
      ['socket.send.buffer.bytes', 'INT', '102400'],
    ],
  },
  {
    why: 'The parts behind these keys are not configurable, or always on.',
    keys: [
      ['cordoned.log.dirs', 'LIST', ''],
      ['group.coordinator.append.linger.ms', 'INT', '-1', { min: -1 }],
      ['group.coordinator.cached.buffer.max.bytes', 'INT', '1048588', { min: 524288 }],
      [
        'group.coordinator.rebalance.protocols',
        'LIST',
        'classic,consumer,streams',
        { oneOf: ['consumer', 'classic', 'share', 'streams'] },
      ],
      ['log.dir.failure.timeout.ms', 'LONG', '30000', { min: 1 }],
      ['offsets.load.buffer.size', 'INT', '5242880', { min: 1 }],
      ['offsets.topic.compression.codec', 'INT', '0'],
      ['transaction.state.log.load.buffer.size', 'INT', '5242880', { min: 1 }],
      ['transaction.two.phase.commit.enable', 'BOOLEAN', 'false'],
    ],
  },
  {
    why: 'Nothing of Java is loaded: plugin classes, their providers and reporters have no place here.',
    keys: [
      ['alter.config.policy.class.name', 'CLASS', null],
      ['client.quota.callback.class', 'CLASS', null],
      ['config.providers', 'LIST', ''],
      ['create.topic.policy.class.name', 'CLASS', null],
      ['kafka.metrics.polling.interval.secs', 'INT', '10', { min: 1 }],
      ['kafka.metrics.reporters', 'LIST', ''],
      ['metric.reporters', 'LIST', 'org.apache.kafka.common.metrics.JmxReporter'],
      ['metrics.num.samples', 'INT', '2', { min: 1 }],
      ['metrics.recording.level', 'STRING', 'INFO'],
      ['metrics.sample.window.ms', 'LONG', '30000', { min: 1 }],
      [
        'principal.builder.class',
        'CLASS',
        'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder',
      ],
      [
        'sasl.oauthbearer.jwt.retriever.class',
        'CLASS',
        'org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever',
      ],
      [
        'sasl.oauthbearer.jwt.validator.class',
        'CLASS',
        'org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator',
      ],
      ['sasl.server.callback.handler.class', 'CLASS', null],
      ['security.providers', 'STRING', null],
      ['ssl.engine.factory.class', 'CLASS', null],
    ],
  },
  {
    why: 'Kerberos is not served.',
    keys: [
      ['sasl.kerberos.kinit.cmd', 'STRING', '/usr/bin/kinit'],
      ['sasl.kerberos.min.time.before.relogin', 'LONG', '60000'],
      ['sasl.kerberos.principal.to.local.rules', 'LIST', 'DEFAULT'],
      ['sasl.kerberos.service.name', 'STRING', null],
      ['sasl.kerberos.ticket.renew.jitter', 'DOUBLE', '0.05'],
      ['sasl.kerberos.ticket.renew.window.factor', 'DOUBLE', '0.8'],
    ],
  },
  {
    why: 'A broker lets others log in: only clients log in like this.',
    keys: [
      ['sasl.oauthbearer.assertion.algorithm', 'STRING', 'RS256', { oneOf: ['ES256', 'RS256'] }],
      ['sasl.oauthbearer.assertion.claim.aud', 'STRING', null],
      ['sasl.oauthbearer.assertion.claim.exp.seconds', 'INT', '300', { min: 0, max: 86400 }],
      ['sasl.oauthbearer.assertion.claim.iss', 'STRING', null],
      ['sasl.oauthbearer.assertion.claim.jti.include', 'BOOLEAN', 'false'],
      ['sasl.oauthbearer.assertion.claim.nbf.seconds', 'INT', '60', { min: 0, max: 3600 }],
      ['sasl.oauthbearer.assertion.claim.sub', 'STRING', null],
      ['sasl.oauthbearer.assertion.file', 'STRING', null],
      ['sasl.oauthbearer.assertion.private.key.file', 'STRING', null],
      ['sasl.oauthbearer.assertion.private.key.passphrase', 'PASSWORD', null],
      ['sasl.oauthbearer.assertion.template.file', 'STRING', null],
      ['sasl.oauthbearer.client.credentials.client.id', 'STRING', null],
      ['sasl.oauthbearer.client.credentials.client.secret', 'PASSWORD', null],
      ['sasl.oauthbearer.scope', 'STRING', null],
      ['sasl.oauthbearer.token.endpoint.url', 'STRING', null],
    ],
  },
  {
    why: 'They name parts of Java: TLS is that of Node.',
    keys: [
      ['ssl.endpoint.identification.algorithm', 'STRING', 'https'],
      ['ssl.keymanager.algorithm', 'STRING', 'SunX509'],
      ['ssl.protocol', 'STRING', 'TLSv1.3'],
      ['ssl.provider', 'STRING', null],
      ['ssl.secure.random.implementation', 'STRING', null],
      ['ssl.trustmanager.algorithm', 'STRING', 'PKIX'],
    ],
  },
  {
    why: 'Quotas of replication come with it.',
    keys: [
      ['alter.log.dirs.replication.quota.window.num', 'INT', '11', { min: 1 }],
      ['alter.log.dirs.replication.quota.window.size.seconds', 'INT', '1', { min: 1 }],
      ['replication.quota.window.num', 'INT', '11', { min: 1 }],
      ['replication.quota.window.size.seconds', 'INT', '1', { min: 1 }],
    ],
  },
]

/** Kafka keeps these to itself: it describes only those that were set, and so do we. */
export const internalKeys: ReadonlySet<string> = new Set([
  'controller.performance.always.log.threshold.ms',
  'controller.performance.sample.period.ms',
  'group.consumer.regex.refresh.interval.ms',
  'group.share.initialize.retry.interval.ms',
  'group.share.persister.class.name',
  'internal.metadata.delete.delay.millis',
  'internal.metadata.log.segment.bytes',
  'internal.metadata.max.batch.size.in.bytes',
  'log.initial.task.delay.ms',
  'producer.id.expiration.check.interval.ms',
  'remote.log.index.file.cache.ttl.ms',
  'remote.log.manager.task.retry.backoff.max.ms',
  'remote.log.manager.task.retry.backoff.ms',
  'remote.log.manager.task.retry.jitter',
  'server.max.startup.time.ms',
  'share.coordinator.cold.partition.snapshot.interval.ms',
  'share.coordinator.state.topic.prune.interval.ms',
  'unclean.leader.election.interval.ms',
  'unstable.api.versions.enable',
  'unstable.feature.versions.enable',
])

export const keysWithoutEffect: readonly ConfigKey[] = groups.flatMap(({ why, keys }) =>
  keys.map((row) => keyOf(row, `No effect. ${why}`)),
)

function keyOf([name, type, byDefault, limits = {}]: Row, doc: string): ConfigKey {
  const key = declare(name, type, { ...limits, doc })
  return { ...key, default: byDefault === null ? null : key.parse(byDefault) }
}

function declare(name: string, type: ConfigType, options: Limits & { doc: string }): ConfigKey {
  switch (type) {
    case 'BOOLEAN':
      return boolean(name, options) as ConfigKey
    case 'INT':
      return int(name, options) as ConfigKey
    case 'SHORT':
      return short(name, options) as ConfigKey
    case 'LONG':
      return long(name, options) as ConfigKey
    case 'DOUBLE':
      return double(name, options) as ConfigKey
    case 'PASSWORD':
      return password(name, options) as ConfigKey
    case 'CLASS':
      return className(name, options) as ConfigKey
    case 'LIST': {
      const { oneOf: allowed } = options
      const check = (values: readonly string[]): string | null =>
        !allowed || values.every((value) => allowed.includes(value))
          ? null
          : `some of ${allowed.join(', ')}`
      return list(name, { ...options, check }) as ConfigKey
    }
    case 'STRING':
      return options.oneOf
        ? (oneOf(name, options.oneOf, { ...options, ignoreCase: true }) as ConfigKey)
        : (string(name, options) as ConfigKey)
  }
}
