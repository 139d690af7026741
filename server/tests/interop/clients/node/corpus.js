// The corpus file and the canonical lines: see corpus.rs for both formats.
'use strict'

const fs = require('node:fs')

const SHOWN_BYTES_MAX = 256

function readCorpus (path) {
  return fs.readFileSync(path, 'ascii').split('\n').slice(0, -1).map(line => {
    const [key, value, timestamp, headers] = line.split('\t')
    return { key: bytes(key), value: bytes(value), timestamp, headers: headersOf(headers) }
  })
}

// A line of what was read; headers are pairs of a name and a value, both buffers.
function canonicalLine (topic, offset, key, value, timestamp, headers) {
  const shownHeaders = headers.map(([name, value]) => `${name.toString('hex')}=${shown(value)}`)
  return [topic, offset, shown(key), shown(value), timestamp, shownHeaders.join(',')].join('\t') + '\n'
}

function bytes (field) {
  return field === '-' ? null : Buffer.from(field, 'hex')
}

function headersOf (field) {
  return (field === '' ? [] : field.split(',')).map(header => {
    const [name, value] = header.split('=')
    return [Buffer.from(name, 'hex').toString(), bytes(value)]
  })
}

function shown (bytes) {
  if (bytes === null || bytes === undefined) return '-'
  if (bytes.length <= SHOWN_BYTES_MAX) return bytes.toString('hex')
  return `#${bytes.length}:${crc32(bytes).toString(16).padStart(8, '0')}`
}

// CRC-32 of IEEE 802.3; Node has its own from 22 on.
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1
  return rest
})

function crc32 (bytes) {
  let sum = 0xffffffff
  for (const byte of bytes) sum = CRC_TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8)
  return (sum ^ 0xffffffff) >>> 0
}

module.exports = { canonicalLine, readCorpus }
