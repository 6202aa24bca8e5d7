import { boolean, int, list, long } from '@millrace/config'

const TIERED = 'No effect. Tiered storage is not served.'
const LZ4_LEVEL = 'No effect. Lz4 has one level here.'
const THROTTLED = 'No effect. Replication is not throttled.'

/** Topic keys that are taken, checked and described, and change nothing: tools set them whatever the broker does with them. */
export const logConfigWithoutEffect = {
  compressionLz4Level: int('compression.lz4.level', {
    default: 9,
    min: 1,
    max: 17,
    scope: 'topic',
    doc: LZ4_LEVEL,
  }),
  preallocate: boolean('preallocate', {
    default: false,
    scope: 'topic',
    doc: 'No effect. Files grow as they are written.',
  }),
  uncleanLeaderElectionEnable: boolean('unclean.leader.election.enable', {
    default: false,
    scope: 'topic',
    doc: 'No effect. A partition of one replica has no other leader.',
  }),
  leaderThrottledReplicas: list('leader.replication.throttled.replicas', {
    default: [],
    scope: 'topic',
    doc: THROTTLED,
  }),
  followerThrottledReplicas: list('follower.replication.throttled.replicas', {
    default: [],
    scope: 'topic',
    doc: THROTTLED,
  }),
  remoteStorageEnable: boolean('remote.storage.enable', {
    default: false,
    scope: 'topic',
    doc: TIERED,
    check: (value) => (value ? 'false: there is no tiered storage' : null),
  }),
  remoteLogCopyDisable: boolean('remote.log.copy.disable', {
    default: false,
    scope: 'topic',
    doc: TIERED,
  }),
  remoteLogDeleteOnDisable: boolean('remote.log.delete.on.disable', {
    default: false,
    scope: 'topic',
    doc: TIERED,
  }),
  localRetentionMs: long('local.retention.ms', {
    default: -2,
    min: -2,
    unit: 'ms',
    scope: 'topic',
    doc: TIERED,
  }),
  localRetentionBytes: long('local.retention.bytes', {
    default: -2,
    min: -2,
    unit: 'bytes',
    scope: 'topic',
    doc: TIERED,
  }),
}

/** The broker keys that set their defaults. */
export const synonymsWithoutEffect = {
  'compression.gzip.level': 'compression.gzip.level',
  'compression.lz4.level': 'compression.lz4.level',
  'compression.zstd.level': 'compression.zstd.level',
  preallocate: 'log.preallocate',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
  'local.retention.ms': 'log.local.retention.ms',
  'local.retention.bytes': 'log.local.retention.bytes',
}
