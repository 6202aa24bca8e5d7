import { int } from '@millrace/config'

/** Broker keys of how rates are measured, with Kafka's defaults. */
export const quotaConfigDefinition = {
  quotaWindowNum: int('quota.window.num', {
    default: 11,
    min: 1,
    doc: 'Samples that are kept to measure the rate of a client.',
  }),
  quotaWindowSizeSeconds: int('quota.window.size.seconds', {
    default: 1,
    min: 1,
    unit: 's',
    doc: 'Seconds of each sample.',
  }),
  controllerQuotaWindowNum: int('controller.quota.window.num', {
    default: 11,
    min: 1,
    doc: 'Samples of the quota on changes of topics: together with their length the longest burst.',
  }),
  controllerQuotaWindowSizeSeconds: int('controller.quota.window.size.seconds', {
    default: 1,
    min: 1,
    unit: 's',
    doc: 'Seconds of each of those samples.',
  }),
}
