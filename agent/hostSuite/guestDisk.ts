/** Where a guest's own disk is mounted (`guestImage`). */
export const DISK = '/disk';
