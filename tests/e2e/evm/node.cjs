// SPDX-FileCopyrightText: The Veil authors
// SPDX-License-Identifier: Apache-2.0
// An EVM node on a loopback port, and the compiled contracts of registry.sol: one line of JSON, then it serves until its input ends.
const fs = require('fs')
const path = require('path')
const ganache = require('ganache')
const solc = require('solc')

const input = {
  language: 'Solidity',
  sources: { 'registry.sol': { content: fs.readFileSync(path.join(__dirname, 'registry.sol'), 'utf8') } },
  settings: {
    viaIR: true,
    evmVersion: 'paris',
    optimizer: { enabled: true, runs: 1 },
    outputSelection: { '*': { '*': ['evm.bytecode.object', 'evm.methodIdentifiers'] } }
  }
}
const output = JSON.parse(solc.compile(JSON.stringify(input)))
const errors = (output.errors || []).filter((e) => e.severity === 'error')
if (errors.length > 0) {
  console.error(errors.map((e) => e.formattedMessage).join('\n'))
  process.exit(1)
}
const contracts = {}
for (const [name, contract] of Object.entries(output.contracts['registry.sol'])) {
  contracts[name] = { bytecode: contract.evm.bytecode.object, methods: contract.evm.methodIdentifiers }
}

const plenty = '0x1fffffffffffff'
const server = ganache.server({
  logging: { quiet: true },
  wallet: { totalAccounts: 1, defaultBalance: 1e12 },
  chain: { allowUnlimitedContractSize: true, hardfork: 'merge' },
  miner: { blockGasLimit: plenty, callGasLimit: plenty, defaultGasPrice: '0x1' }
})
server.listen(0, '127.0.0.1', (error) => {
  if (error) throw error
  process.stdout.write(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, contracts }) + '\n')
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
