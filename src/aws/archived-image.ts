/** Images in ECR's archive storage class: kept and listed, but not to be pulled (ECR User Guide, "Archiving an image"). */

/** @param image Tag or digest. */
export function restoreCommand(repository = 'REPOSITORY', image = 'TAG'): string {
  const imageId = `${image.startsWith('sha256:') ? 'imageDigest' : 'imageTag'}=${image}`
  return `aws ecr update-image-storage-class --repository-name ${repository} --image-id ${imageId} --target-storage-class STANDARD`
}
