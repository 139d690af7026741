// The Node clients of the interoperability suite: `client.js LIBRARY produce|consume|group ARGS`.
'use strict'

const fs = require('node:fs')
const { inspect } = require('node:util')
const { readCorpus } = require('./corpus')
const { Events } = require('./events')

const BATCH_RECORDS = 60

async function produce (producer, topic, codec, corpus) {
  for (let from = 0; from < corpus.length; from += BATCH_RECORDS) {
    const offset = await producer.send(topic, codec, corpus.slice(from, from + BATCH_RECORDS))
    if (offset !== from) {
      throw new Error(`the batch of record ${from} has offset ${offset}`)
    }
  }
}

async function produceAll (library, bootstrap, corpusPath, prefix, codecs) {
  const corpus = readCorpus(corpusPath)
  const producer = await library.producer(bootstrap)
  for (const codec of codecs.split(',')) {
    await scenario(`produce ${codec}`, () => produce(producer, `${prefix}-${codec}`, codec, corpus))
  }
  await scenario('auto-create a topic', () => produce(producer, `${prefix}-auto`, 'none', corpus.slice(0, 10)))
  await producer.close()
}

// Reads the topics in large fetches and in small ones, and looks the times up.
async function consumeAll (library, bootstrap, topics, times, out) {
  const names = topics.split(',')
  const read = (bytesMax, path) => toFile(path, write => library.consume(bootstrap, names, bytesMax, write))
  await scenario('consume', () => read(4 << 20, out))
  await scenario('consume in small fetches', () => read(4096, `${out}.small`))
  await scenario('offsets for times', () => toFile(`${out}.times`, async write => {
    const found = await library.offsetsForTimes(bootstrap, names, times.split(','))
    for (const [topic, time, offset] of found) write(`${topic}\t${time}\t${offset ?? '-'}\n`)
  }))
}

async function toFile (path, body) {
  const file = fs.openSync(path, 'w')
  await body(text => fs.writeSync(file, text))
  fs.closeSync(file)
}

// Reads as one of the group until SIGTERM, commits what was read, and writes down all that happens.
async function beMember (library, bootstrap, topic, group, assignor, instance, path, sessionMs) {
  const stopped = new Promise(resolve => process.once('SIGTERM', resolve))
  const member = {
    topic, group, instance: instance === '-' ? undefined : instance, sessionMs: Number(sessionMs)
  }
  await library.beMember(bootstrap, member, new Events(path), stopped)
}

async function scenario (name, body) {
  try {
    await body()
    console.log(`ok\t${name}`)
  } catch (failure) {
    console.log(`fail\t${name}\t${String(failure).replaceAll('\n', ' ')}`)
  }
}

async function main (name, command, bootstrap, ...rest) {
  const library = require(`./with_${name.replaceAll('-', '_')}`)
  console.log(`version\t${library.version}`)
  if (command === 'produce') await produceAll(library, bootstrap, ...rest)
  else if (command === 'consume') await consumeAll(library, bootstrap, ...rest)
  else if (command === 'group') await beMember(library, bootstrap, ...rest)
  else if (command !== 'version') throw new Error(command)
}

main(...process.argv.slice(2)).catch(failure => {
  console.error(inspect(failure, { depth: 6 }))
  process.exit(1)
})
