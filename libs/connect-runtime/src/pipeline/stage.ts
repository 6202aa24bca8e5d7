/** Where a record was when it failed: Kafka Connect's names, as they appear in dead letter headers. */
export type Stage =
  | 'TASK_POLL'
  | 'TASK_PUT'
  | 'TRANSFORMATION'
  | 'KEY_CONVERTER'
  | 'VALUE_CONVERTER'
  | 'HEADER_CONVERTER'
  | 'KAFKA_PRODUCE'
  | 'KAFKA_CONSUME'

/** A record that failed, its stage and the plugin that was at work. Passed by reference through the step functions of a task. */
export interface StageMark {
  stage: Stage
  /** Name of the plugin, as the configuration has it. */
  plugin: string
}
