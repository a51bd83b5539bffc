/** What is shown where: each table is filled by the script from one route. */
export const PAGE: string = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wardline console</title>
<link rel="stylesheet" href="/console.css">
<script src="/console.js" defer></script>
<h1>Wardline console</h1>
<form id="sign-in" autocomplete="off">
  <label for="token">Access token of an operator</label>
  <input id="token" type="password" required>
  <button>Show</button>
  <output id="state" role="status">It stays in this page, and is gone with it.</output>
</form>
<main id="parts" hidden>
  <section><h2>Policy in force</h2><table data-from="/policy"></table></section>
  <section><h2>Readiness</h2><table data-from="/readyz"></table></section>
  <section><h2>Throttles, pools, breakers</h2><table data-from="/limits"></table></section>
  <section><h2>Blocks</h2><table data-from="/blocks"></table></section>
  <section><h2>Audit log</h2><table data-from="/audit/head"></table></section>
</main>
</html>
`;
