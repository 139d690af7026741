// What happens to a member of a group, a line each.
'use strict'

const fs = require('node:fs')

class Events {
  constructor (path) {
    this.file = fs.openSync(path, 'w')
  }

  // These, and none beside them.
  assigned (partitions) {
    this.note('assigned', partitions.toSorted((a, b) => a - b).join(','))
  }

  record (partition, offset, value) {
    this.note('record', partition, offset, value.toString())
  }

  committed (partition, next) {
    this.note('committed', partition, next)
  }

  note (...fields) {
    fs.writeSync(this.file, [Date.now(), ...fields].join('\t') + '\n')
  }
}

module.exports = { Events }
