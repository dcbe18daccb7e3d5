import { readFileSync } from 'node:fs'
import type { KafkaConfig, SASLOptions } from 'kafkajs'

/** The client's TLS and SASL settings, with the field names of kafkajs. */
export type KafkaSecurity = Pick<KafkaConfig, 'ssl' | 'sasl'>

interface Settings {
  KAFKA_TLS: 'off' | 'on'
  KAFKA_CA_FILE?: string | undefined
  KAFKA_SASL: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  KAFKA_USERNAME?: string | undefined
  KAFKA_PASSWORD?: string | undefined
}

/** The certificate is always checked, without KAFKA_CA_FILE against the authorities that Node trusts. */
export function kafkaSecurity(settings: Settings): KafkaSecurity {
  const { KAFKA_TLS, KAFKA_CA_FILE, KAFKA_SASL, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = settings
  const ca = KAFKA_CA_FILE === undefined ? {} : { ca: [readFileSync(KAFKA_CA_FILE, 'utf8')] }
  const tls = KAFKA_TLS === 'on' ? { ssl: ca } : {}
  if (username === undefined || password === undefined) return tls
  return { ...tls, sasl: { mechanism: KAFKA_SASL, username, password } as SASLOptions }
}
