import type { ServiceError } from '../engine/service.ts';
import { type FormDialect, readForm } from './formReader.ts';
import type { ServiceModel } from './model.ts';
import { type Call, describeError, type Protocol, type WireReply, type WireRequest } from './protocol.ts';
import { element, escapeXml, writeMembers } from './xmlWriter.ts';

/** AWS query: `Action=` and dotted names in a form, XML back. Also the older protocol of services that moved to JSON. */
export const queryProtocol: Protocol = {
  call: (service, request) =>
    formCall(service, request, 'query', {
      output: (name, members, requestId) =>
        document(
          `${name}Response`,
          service.xmlNamespace,
          element(`${name}Result`, members) +
            element('ResponseMetadata', element('RequestId', escapeXml(requestId))),
        ),
      error(error, requestId) {
        const described = describeError(service, error);
        const body =
          element('Type', described.sender ? 'Sender' : 'Receiver') +
          element('Code', escapeXml(described.queryCode)) +
          element('Message', escapeXml(described.message)) +
          errorFields(service, error, described.messageKey);
        return xmlReply(
          described.queryStatusCode,
          requestId,
          document(
            'ErrorResponse',
            service.xmlNamespace,
            element('Error', body) + element('RequestId', escapeXml(requestId)),
          ),
        );
      },
    }),
};

/** EC2 query: the same idea with flattened lists, capitalised names and its own error document. */
export const ec2QueryProtocol: Protocol = {
  call: (service, request) =>
    formCall(service, request, 'ec2-query', {
      output: (name, members, requestId) =>
        document(
          `${name}Response`,
          service.xmlNamespace,
          element('requestId', escapeXml(requestId)) + members,
        ),
      error(error, requestId) {
        const described = describeError(service, error);
        const body =
          element('Code', escapeXml(described.queryCode)) + element('Message', escapeXml(described.message));
        const errors = element('Errors', element('Error', body));
        return xmlReply(
          described.queryStatusCode,
          requestId,
          `${XML}${element('Response', errors + element('RequestID', escapeXml(requestId)))}`,
        );
      },
    }),
};

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';

interface Documents {
  output(operationName: string, members: string, requestId: string): string;
  error(error: ServiceError, requestId: string): WireReply;
}

function formCall(
  service: ServiceModel,
  request: WireRequest,
  dialect: FormDialect,
  documents: Documents,
): Call {
  const form = formOf(request);
  const operationName = form.get('Action') ?? '';
  const model = service.operations.get(operationName);
  return {
    operationName,
    model,
    isForm: true,
    readInput: () => (model === undefined ? {} : readForm(model.input, form, dialect)),
    writeOutput(output, requestId) {
      const members = model === undefined ? '' : writeMembers(model.output, output ?? {});
      return xmlReply(200, requestId, documents.output(operationName, members, requestId));
    },
    writeError: documents.error,
  };
}

/** The form of a request; a GET carries it in the URL. */
export function formOf(request: WireRequest): URLSearchParams {
  return request.body.length === 0 ? request.query : new URLSearchParams(request.body.toString('utf8'));
}

function errorFields(service: ServiceModel, error: ServiceError, messageKey: string): string {
  const shape = service.errors.get(error.code);
  if (shape === undefined) return '';
  const { [messageKey]: _, ...fields } = error.fields;
  return writeMembers(shape, fields);
}

function document(root: string, namespace: string, inner: string): string {
  return `${XML}<${root} xmlns="${escapeXml(namespace)}">${inner}</${root}>`;
}

function xmlReply(statusCode: number, requestId: string, body: string): WireReply {
  return {
    statusCode,
    headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId },
    body,
  };
}
