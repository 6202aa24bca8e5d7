import { int } from '@millrace/config'

/** Broker keys of how rates are measured, with Kafka's defaults. */
export const quotaConfigDefinition = {
  quotaWindowNum: int('quota.window.num', {
    default: 11,
    min: 1,
    doc: 'Samples that are kept to measure a rate.',
  }),
  quotaWindowSizeSeconds: int('quota.window.size.seconds', {
    default: 1,
    min: 1,
    doc: 'Seconds of each sample.',
  }),
}
