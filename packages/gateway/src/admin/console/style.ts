export const STYLE: string = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center }
input { flex: 1 1 16rem; font: inherit; padding: .25rem }
button { font: inherit; padding: .25rem 1rem }
output { flex-basis: 100% }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .15rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { width: 45%; font-weight: 600 }
`;
