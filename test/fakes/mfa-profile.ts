/** An AWS config whose profile `lab` takes a role that wants the code of an MFA device. */
export const mfaProfile: string = [
  '[profile base]',
  'aws_access_key_id = AKIAPLANTEDPLANTED00',
  'aws_secret_access_key = PlantedSecret',
  '[profile lab]',
  'role_arn = arn:aws:iam::123456789012:role/lab',
  'source_profile = base',
  'mfa_serial = arn:aws:iam::123456789012:mfa/me',
].join('\n')
