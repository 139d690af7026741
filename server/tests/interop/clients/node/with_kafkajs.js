// KafkaJS in the interoperability suite.
'use strict'

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = require('kafkajs')
const Lz4Codec = require('kafkajs-lz4')
const SnappyCodec = require('kafkajs-snappy')
const ZstdCodec = require('@kafkajs/zstd')
const { version } = require('kafkajs/package.json')

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = new Lz4Codec().codec
CompressionCodecs[CompressionTypes.ZSTD] = ZstdCodec()

const TYPES = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD
}

function client (bootstrap) {
  return new Kafka({ clientId: 'interop', brokers: [bootstrap], logLevel: logLevel.ERROR })
}

// Sends batches to partition 0 and answers the offset of each.
async function producer (bootstrap) {
  const producer = client(bootstrap).producer({
    allowAutoTopicCreation: true,
    createPartitioner: Partitioners.DefaultPartitioner
  })
  await producer.connect()
  return {
    async send (topic, codec, entries) {
      const messages = entries.map(({ key, value, timestamp, headers }) => ({
        partition: 0, key, value, timestamp, headers: headersOf(headers)
      }))
      const [sent] = await producer.send({ topic, acks: -1, compression: TYPES[codec], messages })
      return Number(sent.baseOffset)
    },
    close: () => producer.disconnect()
  }
}

// A name that comes twice becomes one name with two values; KafkaJS has no other form.
function headersOf (list) {
  const headers = {}
  for (const [name, value] of list) {
    headers[name] = name in headers ? [].concat(headers[name], [value]) : value
  }
  return headers
}

async function beMember (bootstrap, { topic, group, sessionMs }, events, stopped) {
  const consumer = client(bootstrap).consumer({
    groupId: group, sessionTimeout: sessionMs, heartbeatInterval: 500, maxWaitTimeInMs: 200
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    events.assigned(payload.memberAssignment[topic] ?? [])
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, isRunning, isStale }) => {
      let next = null
      for (const { offset, value } of batch.messages) {
        if (!isRunning() || isStale()) break
        events.record(batch.partition, offset, value)
        next = String(BigInt(offset) + 1n)
      }
      if (next === null) return
      // A failure is thrown: KafkaJS then joins again and reads from the last commit.
      await consumer.commitOffsets([{ topic, partition: batch.partition, offset: next }])
      events.committed(batch.partition, next)
    }
  })
  await stopped
  await consumer.disconnect()
}

module.exports = { version, producer, beMember }
