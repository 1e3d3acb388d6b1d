/** Commands of the ancestor that no backend here offers: each says what does it. */
import type { Command } from 'commander'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Session } from './session.ts'

type ForeignCommand = {
  readonly name: string
  readonly does: string
  /** Goes after "sregistry". */
  readonly message: string
  readonly hint: string
}

const foreignCommands: readonly ForeignCommand[] = [
  {
    name: 'push',
    does: 'not offered: registries take container images, not Singularity images',
    message: 'pushes no images: what it makes is for Singularity, not for registries',
    hint: 'push the container image itself: skopeo copy SOURCE docker://REGISTRY/NAME:TAG, or docker push',
  },
  {
    name: 'delete',
    does: 'not offered: deletes nothing in registries (rm removes local images)',
    message: 'deletes nothing in registries',
    hint: 'aws ecr batch-delete-image --repository-name NAME --image-ids imageTag=TAG does; sregistry rm removes a local image',
  },
  {
    name: 'share',
    does: 'not offered: registries have no links to share',
    message: 'shares no images: ECR gives access by policies, not by links',
    hint: 'sregistry policy pull prints a policy that lets others pull',
  },
  {
    name: 'build',
    does: 'not offered: sregistry makes images of container images only',
    message: 'builds nothing from recipes',
    hint: 'apptainer build IMAGE.sif RECIPE does, or docker build and then sregistry pull',
  },
]

export function addForeignCommands(program: Command, session: Session): void {
  for (const { name, does, message, hint } of foreignCommands) {
    program
      .command(name)
      .description(does)
      .argument('[what...]')
      .allowUnknownOption()
      .action(() =>
        session.run(() =>
          Promise.reject(new SregistryError('UNSUPPORTED', `sregistry ${message}`, { hint })),
        ),
      )
  }
}
