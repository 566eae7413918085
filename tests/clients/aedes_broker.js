// aedes, a broker in Node, on a free port of loopback. Prints the port when it listens, and ends with its
// standard input.
'use strict'

const net = require('node:net')
const { Aedes } = require('aedes')

async function main () {
  const aedes = await Aedes.createBroker()
  const server = net.createServer(aedes.handle)
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
  process.stdin.resume()
  process.stdin.on('end', () => process.exit(0))
}

main()
