"""A SAM template of a page that uses everything the local AWS models, so that its tests need no other template."""

from __future__ import annotations

TEMPLATE = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  ModeCeiling: {Type: String, Default: observe, AllowedValues: [observe, ticket, remediate]}
  Delay: {Type: Number, Default: 45, MinValue: 0, MaxValue: 900}
  SweepAt: {Type: String, Default: 'cron(15 3 * * ? *)'}
Conditions:
  MayRemediate: !Equals [!Ref ModeCeiling, remediate]
  MayNot: !Not [!Condition MayRemediate]
Mappings:
  Retention:
    eu-west-1: {Days: 14}
Globals:
  Function:
    Runtime: python3.13
    Architectures: [arm64]
    Timeout: 30
    Layers: [!Ref CodeLayer]
    Environment:
      Variables: {MODE_CEILING: !Ref ModeCeiling}
Resources:
  CodeLayer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: layers/code/, CompatibleRuntimes: [python3.13]}

  Rows:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: status, AttributeType: S}
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: by-status
          KeySchema: [{AttributeName: status, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      SSESpecification: {SSEEnabled: true}
  Alerts:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: alerts}

  Undelivered:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: 1209600}
  TriggersDead:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: 1209600}
  Triggers:
    Type: AWS::SQS::Queue
    Properties:
      DelaySeconds: !Ref Delay
      VisibilityTimeout: 180
      RedrivePolicy: {deadLetterTargetArn: !GetAtt TriggersDead.Arn, maxReceiveCount: 3}
  RemediationsDead:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true}
  Remediations:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ${AWS::StackName}-remediations.fifo
      FifoQueue: true
      VisibilityTimeout: 180
      RedrivePolicy: {deadLetterTargetArn: !GetAtt RemediationsDead.Arn, maxReceiveCount: 2}
  Tickets:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 180}
  Audit:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true, ContentBasedDeduplication: true}

  DeliverTriggers:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Triggers]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Deny
            Principal: '*'
            Action: sqs:*
            Resource: !GetAtt Triggers.Arn
            Condition: {Bool: {'aws:SecureTransport': false}}
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Triggers.Arn
            Condition:
              ArnEquals:
                aws:SourceArn: [!GetAtt DatabaseEvents.Arn, !GetAtt ApiCalls.Arn]
  DeliverAudit:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Audit]
      PolicyDocument:
        Statement:
          Effect: Allow
          Principal: {Service: events.amazonaws.com}
          Action: sqs:SendMessage
          Resource: '*'
          Condition:
            ArnLike: {aws:SourceArn: !Sub 'arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*'}
  DeliverUndelivered:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Undelivered]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Undelivered.Arn
            Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}

  DatabaseEvents:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.rds], detail-type: [RDS DB Cluster Event]}
      Targets:
        - Id: triggers
          Arn: !GetAtt Triggers.Arn
          RetryPolicy: {MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86400}
          DeadLetterConfig: {Arn: !GetAtt Undelivered.Arn}
        - Id: audit
          Arn: !GetAtt Audit.Arn
          SqsParameters: {MessageGroupId: events}
          InputTransformer:
            InputPathsMap: {source: $.detail.SourceArn, categories: $.detail.EventCategories}
            InputTemplate: >-
              {"what": <source>, "text": "changed <source>",
              "categories": <categories>, "rule": "<aws.events.rule-name>"}
  ApiCalls:
    Type: AWS::Events::Rule
    Properties:
      EventPattern:
        source: [aws.rds]
        detail-type: [AWS API Call via CloudTrail]
        detail: {eventName: [{prefix: Modify}, {prefix: Describe}], errorCode: [{exists: false}]}
      Targets:
        - Id: triggers
          Arn: !GetAtt Triggers.Arn
          InputPath: $.detail
          DeadLetterConfig: {Arn: !GetAtt Undelivered.Arn}
  Unpermitted:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.kms]}
      Targets:
        - {Id: triggers, Arn: !GetAtt Triggers.Arn, DeadLetterConfig: {Arn: !GetAtt Undelivered.Arn}}
        - {Id: gone, Arn: !Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:gone'}
  Asleep:
    Type: AWS::Events::Rule
    Properties:
      State: DISABLED
      EventPattern: {source: [aws.rds]}
      Targets: [{Id: triggers, Arn: !GetAtt Triggers.Arn}]

  Evaluate:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/evaluate/
      Handler: app.handler
      Environment:
        Variables:
          TABLE: !Ref Rows
          REMEDIATIONS: !Ref Remediations
          TICKETS: !GetAtt Tickets.QueueUrl
          TOPIC: !Ref Alerts
          ROLE_HINT: !Sub ['${Name}/${AWS::Region}', {Name: !GetAtt Rows.Arn}]
          LIMIT: 25
          STRICT: true
          ONLY_WHEN_REMEDIATING: !If [MayRemediate, 'yes', !Ref AWS::NoValue]
      Policies:
        - Statement:
            - {Effect: Allow, Action: ['rds:Describe*'], Resource: '*'}
            - {Effect: Allow, Action: 'sqs:SendMessage', Resource: [!GetAtt Remediations.Arn, !GetAtt Tickets.Arn]}
        - DynamoDBCrudPolicy: {TableName: !Ref Rows}
      Events:
        FromTriggers:
          Type: SQS
          Properties:
            Queue: !GetAtt Triggers.Arn
            BatchSize: 10
            MaximumBatchingWindowInSeconds: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 2}
  Remediate:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/remediate
      Handler: app.handler
      Role: !GetAtt RemediateRole.Arn
      Events:
        FromRemediations:
          Type: SQS
          Properties: {Queue: !GetAtt Remediations.Arn, BatchSize: 1, FunctionResponseTypes: [ReportBatchItemFailures]}
  RemediateRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: write
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: [rds:ModifyDBCluster]
                Resource: !If
                  - MayRemediate
                  - !Sub arn:aws:rds:${AWS::Region}:${AWS::AccountId}:cluster:*
                  - arn:aws:rds:::nothing
              - Effect: Allow
                Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]
                Resource: !GetAtt Remediations.Arn
  Ticket:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/ticket, Handler: app.handler}
  FromTickets:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Tickets.Arn, FunctionName: !Ref Ticket, BatchSize: 5}
  TicketPolls:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: polls
      Roles: [!Ref TicketRole]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]
            Resource: '*'
  Sweep:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/sweep
      Handler: app.handler
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Undelivered.Arn}
      Events:
        Daily:
          Type: ScheduleV2
          Properties: {ScheduleExpression: !Ref SweepAt, Input: '{"sweep": "full"}'}
  Tick:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: rate(5 minutes)
      FlexibleTimeWindow: {Mode: 'OFF'}
      Target:
        Arn: !GetAtt Sweep.Arn
        RoleArn: !GetAtt SweepDailyRole.Arn
        Input: '{"tick": "<aws.scheduler.scheduled-time>"}'
  Hourly:
    Type: AWS::Scheduler::Schedule
    Condition: MayRemediate
    Properties:
      ScheduleExpression: rate(1 hour)
      FlexibleTimeWindow: {Mode: 'OFF'}
      Target:
        Arn: !GetAtt Sweep.Arn
        RoleArn: !GetAtt TicketRole.Arn
        DeadLetterConfig: {Arn: !GetAtt Undelivered.Arn}
Outputs:
  TriggersUrl: {Value: !Ref Triggers}
  RetentionDays: {Value: !FindInMap [Retention, !Ref AWS::Region, Days]}
  SecondPart: {Value: !Select [1, !Split ['-', !Join ['-', [a, !Ref AWS::Region]]]]}
  OnlyWhenNot: {Condition: MayNot, Value: 'no'}
"""


def cluster_event(name: str = "orders") -> dict[str, object]:
    """Return an event of RDS about a cluster, in the shape in which EventBridge delivers it."""
    arn = f"arn:aws:rds:eu-west-1:123456789012:cluster:{name}"
    return {
        "version": "0",
        "id": f"event-of-{name}",
        "detail-type": "RDS DB Cluster Event",
        "source": "aws.rds",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [arn],
        "detail": {
            "EventCategories": ["creation"],
            "SourceType": "CLUSTER",
            "SourceArn": arn,
            "SourceIdentifier": name,
            "Message": "DB cluster created",
            "EventID": "RDS-EVENT-0170",
        },
    }
