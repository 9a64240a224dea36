// `load.js FILE FOLDER`: memlab, as it is installed in a folder, reads a snapshot and finds dominators and retained sizes.

const [, , file, folder] = process.argv;
const { analysis, config, utils } = require(require.resolve('@memlab/core', { paths: [folder] }));

async function main() {
  config.muteConsole = true;
  const snapshot = await utils.getSnapshotFromFile(file, { buildNodeIdIndex: true, verbose: false });
  analysis.preparePathFinder(snapshot);
  process.exit();
}

main();
