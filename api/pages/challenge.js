(function () {
  "use strict";
  var form = document.getElementById("again"), told = document.getElementById("told");
  var button = form.querySelector("button"), challenge = JSON.parse(form.dataset.challenge), p = challenge.parameters;
  var K = [], H = [], primes = 0, n = 2, w = new Int32Array(64);
  function part(x) { return ((x - Math.floor(x)) * 4294967296) | 0; }
  for (; primes < 64; n++) {
    for (var d = 2; d * d <= n && n % d; d++);
    if (d * d <= n) continue;
    if (primes < 8) H.push(part(Math.pow(n, 1 / 2)));
    K.push(part(Math.pow(n, 1 / 3)));
    primes++;
  }
  function turn(x, by) { return (x >>> by) | (x << (32 - by)); }
  // One block is enough: salt, nonce and counter are 36 bytes.
  function hash(words) {
    var h = H.slice(), i, t1, t2, s;
    for (i = 0; i < 16; i++) w[i] = words[i];
    for (i = 16; i < 64; i++) {
      t1 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      t2 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = (w[i - 16] + t1 + w[i - 7] + t2) | 0;
    }
    s = h.slice();
    for (i = 0; i < 64; i++) {
      t1 = (s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i]) | 0;
      t2 = ((turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]))) | 0;
      s = [(t1 + t2) | 0, s[0], s[1], s[2], (s[3] + t1) | 0, s[4], s[5], s[6]];
    }
    for (i = 0; i < 8; i++) h[i] = (h[i] + s[i]) | 0;
    return h;
  }
  function hex(h) { return h.map(function (x) { return (x >>> 0).toString(16).padStart(8, "0"); }).join(""); }
  var words = (p.salt + p.nonce).match(/.{8}/g).map(function (x) { return parseInt(x, 16) | 0; });
  words = words.concat([0, 0x80000000 | 0, 0, 0, 0, 0, 0, 36 * 8]);
  var first = parseInt(p.keyPrefix.slice(0, 8), 16) | 0, counter = 0;
  function search() {
    for (var end = counter + 4000; counter < end; counter++) {
      words[8] = counter;
      var h = hash(words);
      if (h[0] === first && hex(h).indexOf(p.keyPrefix) === 0) {
        form.elements.proof.value = btoa(JSON.stringify({ challenge: challenge, solution: { counter: counter, derivedKey: hex(h) } }));
        told.textContent = "验证已完成，正在提交……";
        button.disabled = false;
        form.submit();
        return;
      }
    }
    if (counter < p.data.work) setTimeout(search, 0);
    else told.textContent = "验证未能完成，请稍后再试。";
  }
  button.disabled = true;
  told.textContent = "正在验证，请稍候，完成后会自动提交……";
  setTimeout(search, 0);
})();
