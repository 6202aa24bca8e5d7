import { apacheKafkaTools } from './apache-kafka-tools/client.ts'
import type { ClientEntry } from './client.ts'
import { confluentKafka, confluentKafkaDebian } from './confluent-kafka-python/client.ts'
import { javaClient } from './java/client.ts'
import { kafkaPython } from './kafka-python/client.ts'
import { kafkajs } from './kafkajs/client.ts'
import { kcat } from './kcat/client.ts'
import { platformaticKafka } from './platformatic-kafka/client.ts'

/** All the clients, in the order of the report. */
export const clients: readonly ClientEntry[] = [
  kcat,
  confluentKafkaDebian,
  confluentKafka,
  kafkaPython,
  kafkajs,
  platformaticKafka,
  javaClient,
  apacheKafkaTools,
]
