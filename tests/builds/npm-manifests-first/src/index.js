const isOdd = require("is-odd");

console.log(isOdd(process.argv.length));
