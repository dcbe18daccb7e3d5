import { deadLetterSource, deadLetters, sourceOf } from '#core/kafka-source-policy.ts'
import { HORIZON_DAYS } from '#core/log.ts'
import type { CommandType, Domain } from '#domains/domain.ts'
import { version } from './openapi.ts'
import { commandHeaders, letterHeaders } from './record-headers.ts'
import { type Schema, type Schemas, schemasIn } from './schemas.ts'

const KAFKA = { bindingVersion: '0.5.0' }
const NOWHERE = { persist: '', deadLetters: '' }

/** The topics with their records, writers and readers, as AsyncAPI 3. A record is a CloudEvent in binary mode. */
export function asyncapi(domains: Domain[]) {
  const schemas = schemasIn('draft-7')
  const all = [...domains.map((domain) => topicOf(domain, schemas)), errorTopic(schemas)]
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Millrace',
      version,
      description:
        'The commands that publish sends to persist. A command takes effect once, however often it is delivered.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(all.map(({ id, channel }) => [id, channel])),
    operations: Object.assign({}, ...all.map(({ operations }) => operations)),
    components: { schemas: schemas.all, messages: Object.assign({}, ...all.map(({ messages }) => messages)) },
  }
}

function topicOf(domain: Domain, schemas: Schemas) {
  const { name, topic, commands } = domain
  const sealed = Object.entries(commands).map(([type, command]) => [
    type,
    sealedMessage(domain, type, command, schemas),
  ])
  const bare = topic.plain === undefined ? [] : [[`${topic.plain}.bare`, bareMessage(domain, topic.plain, schemas)]]
  const messages = Object.fromEntries([...sealed, ...bare])
  const send = operation(name, 'send', 'publish appends commands with their stream as the key', Object.keys(commands))
  const receive = operation(name, 'receive', 'persist applies commands', Object.keys(messages))
  return {
    id: name,
    messages,
    channel: channel(topic, Object.keys(messages), `The commands of ${name}, kept for ${HORIZON_DAYS} days`),
    operations: {
      [`${name}.publish`]: send,
      [`${name}.persist`]: { ...receive, bindings: reader(sourceOf(domain, NOWHERE).group) },
    },
  }
}

/** The topic of commands that could not be applied. */
function errorTopic(schemas: Schemas) {
  const { name } = deadLetters
  const message = {
    summary: 'A command that could not be applied',
    headers: schemas.add('letter.headers', letterHeaders),
  }
  const ids = ['letter']
  return {
    id: name,
    messages: { letter: { ...message, payload: {} } },
    channel: channel(deadLetters, ids, 'The commands that could not be applied, kept for ever'),
    operations: {
      [`${name}.sink`]: operation(name, 'send', 'A KafkaSource copies a command that persist refused', ids),
      [`${name}.persist`]: {
        ...operation(name, 'receive', 'persist keeps the command as a letter', ids),
        bindings: reader(deadLetterSource(NOWHERE).group),
      },
    },
  }
}

const channel = (topic: { name: string; partitions: number }, messages: string[], summary: string) => ({
  address: topic.name,
  summary,
  messages: Object.fromEntries(messages.map((id) => [id, { $ref: `#/components/messages/${id}` }])),
  bindings: { kafka: { partitions: topic.partitions, ...KAFKA } },
})

const operation = (channel: string, action: 'send' | 'receive', summary: string, messages: string[]) => ({
  action,
  channel: { $ref: `#/channels/${channel}` },
  summary,
  messages: messages.map((id) => ({ $ref: `#/channels/${channel}/messages/${id}` })),
})

const reader = (group: string) => ({ kafka: { groupId: { type: 'string', const: group }, ...KAFKA } })

function sealedMessage(domain: Domain, type: string, command: CommandType, schemas: Schemas) {
  return {
    name: type,
    summary: command.summary ?? type,
    contentType: contentTypeOf(domain),
    headers: schemas.add(`${type}.headers`, commandHeaders(type, domain)),
    payload: recordOf(domain, type, command, schemas),
    bindings: { kafka: { key: { type: 'string', description: 'The stream' }, ...KAFKA } },
  }
}

/** The form in which a producer without CloudEvents writes a command. */
function bareMessage(domain: Domain, type: string, schemas: Schemas) {
  const command = domain.commands[type] as CommandType
  return {
    name: type,
    summary: 'A bare record, without headers',
    contentType: contentTypeOf(domain),
    payload: recordOf(domain, type, command, schemas),
  }
}

const contentTypeOf = ({ topic }: Domain): string => topic.record?.contentType ?? 'application/json'

function recordOf({ topic }: Domain, type: string, { data }: CommandType, schemas: Schemas): Schema {
  if (!topic.record) return schemas.input(type, data)
  return topic.record.value ? schemas.output(`${topic.name}.value`, topic.record.value) : {}
}
