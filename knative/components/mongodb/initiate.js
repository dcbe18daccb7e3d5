// Makes the replica set and the user of the functions, where they are missing. Safe to repeat. mongosh runs it with the
// key of the members, which is valid before there is any user. Loops, no callbacks: mongosh awaits calls in loops only.
const fs = require('node:fs')

const MEMBERS = ['mongodb-0', 'mongodb-1', 'mongodb-2'].map((name) => `${name}.mongodb.millrace.svc:27017`)
const WITHIN_MS = 300_000

const secret = (name) => fs.readFileSync(`/secret/${name}`, 'utf8').trim()
const key = encodeURIComponent(secret('keyfile').replace(/\s/g, ''))

function adminOf(host) {
  const auth = 'authSource=local&authMechanism=SCRAM-SHA-256'
  const uri = `mongodb://__system:${key}@${host}/?directConnection=true&serverSelectionTimeoutMS=2000&${auth}`
  return new Mongo(uri).getDB('admin')
}

/** The primary; initiates the set once every member answers and none belongs to one. */
function look() {
  let strangers = 0
  for (const host of MEMBERS) {
    const hello = adminOf(host).runCommand({ hello: 1 })
    if (hello.isWritablePrimary) return adminOf(host)
    if (!hello.setName) strangers += 1
  }
  if (strangers < MEMBERS.length) return undefined
  const members = []
  for (const host of MEMBERS) members.push({ _id: members.length, host })
  adminOf(MEMBERS[0]).runCommand({ replSetInitiate: { _id: 'rs0', members } })
  return undefined
}

let primary
for (const deadline = Date.now() + WITHIN_MS; !primary; sleep(1000)) {
  if (Date.now() > deadline) throw new Error(`there is no primary within ${WITHIN_MS} ms`)
  try {
    primary = look()
  } catch (error) {
    print(error.message)
  }
}

const user = { pwd: secret('password'), roles: [{ role: 'readWrite', db: 'millrace' }] }
if (primary.getUser('millrace')) primary.updateUser('millrace', user)
else primary.createUser({ user: 'millrace', ...user })
print('the replica set has a primary, and the functions have their user')
