/** Draws a greeting card of falling dominoes, as SVG. */
export function drawCard(name: string): string {
  const dominoes = Array.from({ length: 9 }, (_, place) => {
    const angle = Math.max(0, 64 - place * 13);
    return `<g transform="translate(${70 + place * 48} 210) rotate(${angle} 14 0)">
    <rect x="0" y="-92" width="20" height="92" rx="5" fill="hsl(${200 + place * 14} 70% 52%)"/>
    <circle cx="10" cy="-70" r="4" fill="white"/><circle cx="10" cy="-22" r="4" fill="white"/>
  </g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 260" font-family="Georgia, serif">
  <rect width="560" height="260" rx="16" fill="#fdf6e3"/>
  <text x="40" y="62" font-size="34" fill="#333">Welcome, ${escapeXml(name)}!</text>
  <path d="M40 210 H520" stroke="#333" stroke-width="3"/>
  ${dominoes.join('\n  ')}
</svg>
`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
