// KafkaJS in the interoperability suite: `client.js produce BOOTSTRAP CORPUS PREFIX CODECS`. It
// produces only, since its consumer knows nothing but groups.
'use strict'

const fs = require('node:fs')
const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = require('kafkajs')
const Lz4Codec = require('kafkajs-lz4')
const SnappyCodec = require('kafkajs-snappy')
const ZstdCodec = require('@kafkajs/zstd')
const { version } = require('kafkajs/package.json')

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = new Lz4Codec().codec
CompressionCodecs[CompressionTypes.ZSTD] = ZstdCodec()

const BATCH_RECORDS = 60
const TYPES = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD
}

// The corpus file's format is told in corpus.rs.
function readCorpus (path) {
  return fs.readFileSync(path, 'ascii').split('\n').slice(0, -1).map(line => {
    const [key, value, timestamp, headers] = line.split('\t')
    return { partition: 0, key: bytes(key), value: bytes(value), timestamp, headers: headersOf(headers) }
  })
}

function bytes (field) {
  return field === '-' ? null : Buffer.from(field, 'hex')
}

// A name that comes twice becomes one name with two values; KafkaJS has no other form.
function headersOf (field) {
  const headers = {}
  for (const header of field === '' ? [] : field.split(',')) {
    const [name, value] = header.split('=')
    const key = Buffer.from(name, 'hex').toString()
    headers[key] = key in headers ? [].concat(headers[key], [bytes(value)]) : bytes(value)
  }
  return headers
}

async function produce (producer, topic, codec, corpus) {
  for (let from = 0; from < corpus.length; from += BATCH_RECORDS) {
    const messages = corpus.slice(from, from + BATCH_RECORDS)
    const [sent] = await producer.send({ topic, acks: -1, compression: TYPES[codec], messages })
    if (sent.baseOffset !== String(from)) {
      throw new Error(`the batch of record ${from} has offset ${sent.baseOffset}`)
    }
  }
}

async function scenario (name, body) {
  try {
    await body()
    console.log(`ok\t${name}`)
  } catch (failure) {
    console.log(`fail\t${name}\t${String(failure).replaceAll('\n', ' ')}`)
  }
}

async function main (command, bootstrap, corpusPath, prefix, codecs) {
  console.log(`version\t${version}`)
  if (command !== 'produce') throw new Error(command)
  const corpus = readCorpus(corpusPath)
  const kafka = new Kafka({ clientId: 'interop', brokers: [bootstrap], logLevel: logLevel.ERROR })
  const producer = kafka.producer({
    allowAutoTopicCreation: true,
    createPartitioner: Partitioners.DefaultPartitioner
  })
  await producer.connect()
  for (const codec of codecs.split(',')) {
    await scenario(`produce ${codec}`, () => produce(producer, `${prefix}-${codec}`, codec, corpus))
  }
  await scenario('auto-create a topic', () => produce(producer, `${prefix}-auto`, 'none', corpus.slice(0, 10)))
  await producer.disconnect()
}

main(...process.argv.slice(2)).catch(failure => {
  console.error(failure)
  process.exit(1)
})
