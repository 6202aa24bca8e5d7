import type { ConfigDefinition, ConfigOf, ConfigProblem, Properties } from '@millrace/config'
import type { Clock } from '@millrace/base'
import type {
  ConnectRecord,
  SinkRecord,
  SourcePosition,
  SourceRecord,
  Value,
  Header,
} from './record'
import type { Schema } from './schema'

/** What every plugin gets from the worker. */
export interface PluginContext {
  readonly clock: Clock
  readonly logger: PluginLogger
}
export interface PluginLogger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

interface ConnectorBase<D extends ConfigDefinition> {
  /** Short name, also accepted as `connector.class`: `postgres-cdc`. */
  readonly name: string
  /** Class names of Kafka Connect that mean this plugin. The first one is what the REST shows. */
  readonly classNames: readonly string[]
  readonly version: string
  readonly doc: string
  readonly options: D
  /** Checks of several options together or of their meaning, without side effects. Called after each option parsed. */
  readonly validate?: (config: ConfigOf<D>, properties: Properties) => readonly ConfigProblem[]
  /**
   * One set of properties per task, at most `maxTasks`. Called on the worker that leads the group, at start and after each change of
   * the configuration. May read from the source system. @throws RetriableError, ConfigurationError
   */
  readonly taskConfigs?: (
    properties: Properties,
    maxTasks: number,
    context: PluginContext,
  ) => Promise<readonly Properties[]>
}

export interface SourceConnector<D extends ConfigDefinition = ConfigDefinition>
  extends ConnectorBase<D> {
  readonly type: 'source'
  readonly createTask: (config: ConfigOf<D>, context: SourceTaskContext) => SourceTask
}
export interface SinkConnector<D extends ConfigDefinition = ConfigDefinition>
  extends ConnectorBase<D> {
  readonly type: 'sink'
  readonly createTask: (config: ConfigOf<D>, context: SinkTaskContext) => SinkTask
}
// The config of a list's members is known only to each of them.
// oxlint-disable-next-line typescript/no-explicit-any
type AnyDefinition = any
export type ConnectorPlugin = SourceConnector<AnyDefinition> | SinkConnector<AnyDefinition>
export type AnyTransformPlugin = TransformPlugin<AnyDefinition>
export type AnyConverterPlugin = ConverterPlugin<AnyDefinition>
export type AnyHeaderConverterPlugin = HeaderConverterPlugin<AnyDefinition>

/** Declares a source connector, keeping the types of its options. */
export function sourceConnector<const D extends ConfigDefinition>(
  plugin: Omit<SourceConnector<D>, 'type'>,
): SourceConnector<D> {
  return { type: 'source', ...plugin }
}
/** Declares a sink connector, keeping the types of its options. */
export function sinkConnector<const D extends ConfigDefinition>(
  plugin: Omit<SinkConnector<D>, 'type'>,
): SinkConnector<D> {
  return { type: 'sink', ...plugin }
}

export interface SourceTaskContext extends PluginContext {
  readonly connectorName: string
  readonly taskId: number
  readonly properties: Properties
  /** The stored offset of each partition, null where there is none; same order as asked. */
  readonly offsets: (
    partitions: readonly SourcePosition[],
  ) => Promise<readonly (SourcePosition | null)[]>
}

/**
 * One running task of a source. The runtime calls one method at a time, except `stop`, which may come during `poll`.
 *
 * A `poll` may return at any pace: the runtime converts and sends each batch and polls again while earlier batches are on their way
 * (bounded), and stores an offset only when all records up to it were acknowledged by the log. Throw RetriableError to be
 * polled again after a back-off; any other error fails the task.
 */
export interface SourceTask {
  /** Opens connections. Called once, before anything else. @throws RetriableError, ConfigurationError */
  start(): Promise<void>
  /** The next records, or an empty array if there are none right now (wait a little, at most about a second, rather than spin). */
  poll(): Promise<readonly SourceRecord[]>
  /** These offsets, one per source partition, are now stored: the source may forget what lies before (confirm an LSN). */
  commit?(
    offsets: readonly { readonly partition: SourcePosition; readonly offset: SourcePosition }[],
  ): Promise<void>
  /** Ends a pending `poll` soon and closes everything. Called once, also after a failure. */
  stop(): Promise<void>
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}
export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
}

export interface SinkTaskContext extends PluginContext {
  readonly connectorName: string
  readonly taskId: number
  readonly properties: Properties
  /** Partitions that the task owns now. */
  readonly assignment: () => readonly TopicPartition[]
  /** Go on reading from these offsets instead; takes effect before the next `put`. */
  readonly rewind: (offsets: readonly TopicPartitionOffset[]) => void
  /** Stop and resume the delivery of records of some partitions, to push back. */
  readonly pause: (partitions: readonly TopicPartition[]) => void
  readonly resume: (partitions: readonly TopicPartition[]) => void
  /** Ask to be called by `put`, with no records if there are none, after at most `delayMs`: for rotation by time. */
  readonly requestPut: (delayMs: number) => void
  /** Ask for an early `preCommit`. */
  readonly requestCommit: () => void
  /**
   * Reports a record that can never be written and goes on, if `errors.tolerance` allows it.
   * @throws RecordError if it does not: let it pass, so that the task fails
   */
  readonly reportError: (record: SinkRecord, error: unknown) => Promise<void>
}

/**
 * One running task of a sink. The runtime calls one method at a time. After a RetriableError from `put` the same records come again
 * after a back-off; the runtime stays in the group meanwhile.
 */
export interface SinkTask {
  start(): Promise<void>
  /** Partitions were assigned. Called before their first record. */
  open?(partitions: readonly TopicPartition[]): Promise<void>
  /** Takes records over, in order within each partition. Need not have written them when it returns: see `preCommit`. */
  put(records: readonly SinkRecord[]): Promise<void>
  /**
   * The offsets that may be committed: for each partition the offset after the last record that is safe in the target, or null for none yet.
   * `delivered` holds the offsets after the last record given to `put`. Without this method `delivered` is committed
   * after `flush`.
   */
  preCommit?(delivered: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]>
  /** Partitions are taken away; offsets were committed before. Their buffered records come again elsewhere. */
  close?(partitions: readonly TopicPartition[]): Promise<void>
  stop(): Promise<void>
}

/** A single message transform. */
export interface TransformPlugin<D extends ConfigDefinition = ConfigDefinition> {
  readonly name: string
  /** `org.apache.kafka.connect.transforms.InsertField$Value` and the like. */
  readonly classNames: readonly string[]
  readonly version: string
  readonly doc: string
  readonly options: D
  readonly validate?: (config: ConfigOf<D>, properties: Properties) => readonly ConfigProblem[]
  /** Called once per task. `className` is the alias that was configured, so that `$Key` and `$Value` can share a plugin. */
  readonly create: (config: ConfigOf<D>, className: string) => Transform
}
/** A new record, the same record, or null to drop it. Must not change the record. @throws RecordError for bad data */
export type Transform = <R extends ConnectRecord>(record: R) => R | null
export function transform<const D extends ConfigDefinition>(
  plugin: TransformPlugin<D>,
): TransformPlugin<D> {
  return plugin
}

export interface SchemaAndValue {
  readonly schema: Schema | null
  readonly value: Value
}

/** Turns values into bytes and back, for keys, values or headers. */
export interface ConverterPlugin<D extends ConfigDefinition = ConfigDefinition> {
  readonly name: string
  readonly classNames: readonly string[]
  readonly version: string
  readonly doc: string
  readonly options: D
  readonly create: (config: ConfigOf<D>, isKey: boolean) => Converter
}
export interface Converter {
  /** Null stays null: a tombstone. @throws RecordError if the value does not fit the schema or the format */
  fromConnect(topic: string, schema: Schema | null, value: Value): Buffer | null
  /** @throws RecordError if the bytes are not of the format */
  toConnect(topic: string, bytes: Buffer | null): SchemaAndValue
}
export function converter<const D extends ConfigDefinition>(
  plugin: ConverterPlugin<D>,
): ConverterPlugin<D> {
  return plugin
}

export interface HeaderConverterPlugin<D extends ConfigDefinition = ConfigDefinition>
  extends Omit<ConverterPlugin<D>, 'create'> {
  readonly create: (config: ConfigOf<D>) => HeaderConverter
}
export interface HeaderConverter {
  fromConnect(topic: string, header: Header): Buffer | null
  toConnect(topic: string, key: string, bytes: Buffer | null): SchemaAndValue
}
