import type { Cluster } from '../domain/model/pool.ts';
import { parseClusterSettings } from './clusterSettings.ts';
import type { Settings } from './settings.ts';

/**
 * The clusters and pools that the stack was deployed with. Apart from the other settings, as only functions that put them
 * on record need to read them, and what reads them is a tenth of the room that a bundle has.
 * @throws SettingsError
 */
export const declaredClusters = ({ clustersJson }: Settings): readonly Cluster[] =>
  parseClusterSettings(clustersJson ?? '[]');
