import { Contrib, Enums, Models, Serialize, SPDX, Spec } from '@cyclonedx/cyclonedx-library';
import { type GroupDigest, nameOf } from './flow.ts';
import type { Package } from './lockfile.ts';

const licenses = new Contrib.License.Factories.LicenseFactory(checkExpression);

/** Makes a CycloneDX document of the packages. It has no time or place, so the same packages give the same text. */
export function writeBom(project: Package, digests: readonly GroupDigest[]): string {
  const bom = new Models.Bom();
  bom.metadata.component = toComponent(project, Enums.ComponentType.Application);
  const components = new Map([[project.path, bom.metadata.component]]);
  for (const { found, sha256 } of digests) {
    for (const { package: pkg, license } of found) {
      const component = toComponent(pkg, Enums.ComponentType.Library);
      component.licenses.add(licenses.makeFromString(license));
      component.properties.add(new Models.Property('merkle:sha256', sha256));
      bom.components.add(component);
      components.set(pkg.path, component);
    }
  }
  const packages = digests.flatMap(({ found }) => found.map((one) => one.package));
  for (const { path, dependsOn } of [project, ...packages]) {
    for (const dependency of dependsOn) {
      const component = components.get(dependency);
      if (component !== undefined) components.get(path)?.dependencies.add(component.bomRef);
    }
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function toComponent(pkg: Package, type: Enums.ComponentType): Models.Component {
  const component = new Models.Component(type, pkg.name, {
    bomRef: pkg.path || '.',
    version: pkg.version,
    purl: `pkg:npm/${nameOf(pkg).replace(/^@/, '%40')}`,
  });
  if (pkg.sha512 !== undefined) {
    component.hashes.set(Enums.HashAlgorithm['SHA-512'], Buffer.from(pkg.sha512, 'base64').toString('hex'));
  }
  return component;
}

/** Throws if a text is not an SPDX expression; it is a plain name then. */
function checkExpression(text: string): void {
  const ids = text.split(/[\s()]+|\bAND\b|\bOR\b|\bWITH\b/).filter(Boolean);
  if (!ids.every(SPDX.isSupportedSpdxId)) throw new RangeError(`\`${text}\` is no SPDX expression`);
}
